"""The language check: English passes, its neighbours do not, short texts are left alone."""

from __future__ import annotations

import pytest

from claimx.archive.language import is_english

ENGLISH = [
    "The ferry did not leave the harbour on Monday after inspectors found that roughly 40 percent "
    "of the piles under the pier were rotten. “We cannot let people walk on it,” said Ines Okafor, "
    "deputy head of the Harbour Board, who expects that repairs will take five to seven months.",
    "HELVIK (Nov. 3) – Shares of Norra Mills rose 4.5 percent to 31.20 crowns in early trading. "
    "Net profit for the third quarter fell to 12 million crowns from 18 million crowns a year "
    "earlier, the company said. Revenue of 210 million crowns was in line with forecasts.",
    "Police in Varde arrested two men, aged 24 and 31, late Friday in connection with a string of "
    "burglaries at farms north of the city. A spokesman declined to give further details.",
]
OTHERS = {
    "German": "Die Fähre fuhr am Montag nicht ab, nachdem Prüfer festgestellt hatten, dass rund 40 "
    "Prozent der Pfähle unter dem Anleger morsch waren. „Wir können dort niemanden laufen lassen“, "
    "sagte die stellvertretende Leiterin der Hafenbehörde. Die Reparatur soll fünf Monate dauern.",
    "French": "Le ferry n’a pas quitté le port lundi, après que des inspecteurs ont constaté que "
    "près de 40 % des pieux du quai étaient pourris. « Nous ne pouvons laisser personne y marcher », "
    "a déclaré la directrice adjointe du port, qui prévoit cinq à sept mois de travaux sur place.",
    "Spanish": "El transbordador no salió del puerto el lunes porque los inspectores hallaron que "
    "cerca del 40 por ciento de los pilotes del muelle estaba podrido. «No podemos dejar pasar a "
    "nadie», dijo la subdirectora del puerto, que no espera que las obras terminen este año.",
    "Dutch": "De veerboot is maandag niet vertrokken nadat inspecteurs hadden ontdekt dat ongeveer "
    "40 procent van de palen onder de pier verrot was. ‘We kunnen daar niemand over laten lopen’, "
    "zei de adjunct-directeur van de haven, die verwacht dat het werk vijf maanden zal duren.",
    "Portuguese": "A balsa não saiu do porto na segunda-feira depois que os inspetores verificaram "
    "que cerca de 40 por cento das estacas do cais estavam podres. “Não podemos deixar ninguém "
    "passar”, disse a vice-diretora do porto, que espera cinco a sete meses de obras no local.",
    "Italian": "Il traghetto non è partito lunedì dal porto dopo che gli ispettori hanno scoperto "
    "che circa il 40 per cento dei pali del molo era marcio. «Non possiamo far passare nessuno», ha "
    "detto la vicedirettrice del porto, che prevede da cinque a sette mesi di lavori sul posto.",
    "Swedish": "Färjan lämnade inte hamnen i måndags sedan inspektörer hade upptäckt att omkring 40 "
    "procent av pålarna under bryggan var ruttna. ”Vi kan inte låta någon gå där”, sade hamnens "
    "biträdande chef, som räknar med att arbetet under hösten tar fem till sju månader.",
    "Danish": "Færgen forlod ikke havnen i mandags, efter at inspektører havde opdaget, at omkring "
    "40 procent af pælene under molen var rådne. »Vi kan ikke lade nogen gå der,« sagde havnens "
    "vicedirektør, som regner med, at arbejdet i efteråret vil tage fem til syv måneder.",
    "Polish": "Prom nie wypłynął w poniedziałek z portu, ponieważ inspektorzy stwierdzili, że około "
    "40 procent pali pod nabrzeżem jest zgniłych. „Nie możemy nikogo tam wpuścić” – powiedziała "
    "zastępczyni dyrektora portu, która spodziewa się, że prace potrwają od pięciu miesięcy.",
    "Russian": "Паром не вышел из порта в понедельник после того, как инспекторы обнаружили, что "
    "около 40 процентов свай причала сгнили. «Мы не можем никого туда пускать», — сказала "
    "заместитель начальника порта, которая ждёт, что ремонт займёт от пяти до семи месяцев.",
    "Chinese": "检查人员发现码头约百分之四十的木桩已经腐烂,渡轮周一未能离港。港务局副局长说:“我们不能让任何人"
    "在上面行走。”她预计维修工程需要五到七个月的时间,在此期间乘客须改乘公共汽车前往对岸。",
}


@pytest.mark.parametrize("text", ENGLISH)
def test_english_news_is_english(text):
    assert is_english(text) is True


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages_are_not_english(language):
    assert is_english(OTHERS[language]) is False


@pytest.mark.parametrize("text", ["", "Ferry stopped", "Ja.", "40 per cent", "\ud800 \0"])
def test_a_short_text_is_not_judged(text):
    assert is_english(text) is None


def test_a_foreign_name_in_an_english_text_changes_nothing():
    assert is_english(ENGLISH[0] + " The board met in 北京, Москва and São Paulo.") is True


def test_an_english_sentence_in_a_foreign_text_changes_nothing():
    assert is_english(OTHERS["German"] * 3 + " “That is all we have,” he said.") is False
