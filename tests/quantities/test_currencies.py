"""Which currency a sum is in: the sign, the words beside it and the article decide."""

from __future__ import annotations

import pytest

from claimx.quantities import article_currency, read_quantity
from claimx.types import Quantity
from tests.quantities.marked import read


def surface(text: str, **options: str) -> Quantity:
    return read_quantity(text, 0, len(text), **options)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("The port will cost $5 million.", "USD"),
        ("The port will cost $5 million, about 4 million Canadian dollars more.", "CAD"),
        ("The fund holds A$20 million and lent $3 million.", "AUD"),
        ("The fund holds A$20 million (US$15 million) and lent $3 million.", "USD"),
        ("All figures are in New Zealand dollars. It paid US$5 and $7.", "NZD"),
        ("Growers in Queensland, says the Australian board, lost $3 million.", "AUD"),
        ("Growers in Queensland sold $3 million of wheat to the United States.", "USD"),
        ("The fund holds A$20 million and C$5 million and lent $3 million.", "USD"),
        ("It made US $5 million, or $39 million in Hong Kong dollars.", "USD"),
        ("The fund holds NZ $20 million and lent $3 million.", "NZD"),
        ("In Australian dollars, it cost the US $3 million.", "AUD"),
    ],
)
def test_the_article_says_what_a_bare_dollar_means(text: str, currency: str):
    assert article_currency(text) == currency


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Canadian funds", "CAD"),
        ("Singaporean dollars", "SGD"),
        ("NZ$", "NZD"),
        *((code, code) for code in ("AUD", "CAD", "NZD", "HKD", "SGD", "TWD")),
    ],
)
def test_one_name_of_a_dollar_is_enough(words: str, code: str):
    assert article_currency(f"They paid 3 million ({words}) for it.") == code


def test_a_bare_dollar_is_read_in_the_currency_given():
    assert surface("$90m", currency="AUD").unit == "AUD"
    assert surface("50 cents", currency="AUD").unit == "AUD"
    assert surface("US$90m", currency="AUD").unit == "USD"


def test_the_default_currency_stands_where_the_article_is_silent():
    assert article_currency("It cost $5.", default="CAD") == "CAD"
    assert article_currency("It cost $5, or US$4.", default="CAD") == "CAD"


@pytest.mark.parametrize(
    ("marked", "code"),
    [
        ("The bank made [US $24 billion] that year.", "USD"),
        ("The bank made US [$24 billion] that year.", "USD"),
        ("The bank made U.S. [$24 billion] that year.", "USD"),
        ("The bank made [US $5 to $6 billion] that year.", "USD"),
        ("The bank made [$24 billion U.S.] that year.", "USD"),
        ("The bank made [$24 billion] US, it said.", "USD"),
        ("The bank made [$24 billion] (US) that year.", "USD"),
        ("The bank made [NZ $24 million] that year.", "NZD"),
        ("The bank made [A $24 million] that year.", "AUD"),
        ("[A $24 million] gift was made.", "HKD"),
        ("Bank Wins A [$24 million] Gift", "HKD"),
        ("The bank gave [$24 million] US aid.", "HKD"),
        ("The bank made [$24 billion] that year. US banks made more.", "HKD"),
    ],
)
def test_a_dollar_is_that_of_the_country_beside_it(marked: str, code: str):
    assert read(marked, currency="HKD").unit == code


@pytest.mark.parametrize(
    ("article", "surface_", "code"),
    [
        ("Oslo: the Norwegian firm owes [].", "4 million kroner", "NOK"),
        ("Copenhagen: the Danish firm owes a Norwegian [].", "4 million kroner", "DKK"),
        ("Manila: the Philippine mint owes [].", "900 pesos", "PHP"),
        ("Manila: the Philippine mint owes [].", "900 Mexican pesos", "MXN"),
        ("It owes [].", "900 pesos", "MXN"),
        ("Karachi: a Pakistani mill owes [].", "5 lakh rupees", "PKR"),
        ("Manila: the Philippine mint owes [].", "900 Pesos", "PHP"),
        ("Manila: the Philippine mint owes [].", "MXN 900", "MXN"),
    ],
)
def test_the_article_says_whose_money_a_shared_name_means(article, surface_, code):
    start = article.index("[]")
    text = article.replace("[]", surface_)
    assert read_quantity(text, start, start + len(surface_)).unit == code
