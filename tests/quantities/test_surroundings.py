"""The words around a quantity decide its kind, modifier, change, unit and currency."""

from __future__ import annotations

import time

import pytest

from claimx.quantities import read_quantity
from tests.quantities.marked import read


@pytest.mark.parametrize(
    ("marked", "kind", "unit"),
    [
        ("[55-year-old] farmer", "age", "year"),
        ("{Ines Okafor}, [56], who led", "age", "year"),
        ("{He} was [81].", "age", "year"),
        ("at the age of [19]", "age", "year"),
        ("{voters} <under> [30]", "age", "year"),
        ("children aged [18 months]", "age", "month"),
        ("a man in his [forties]", "age", "year"),
        ("temperatures in the [mid-30s]", "measure", "degree"),
        ("temperatures in the [low 40s] Celsius", "measure", "degree Celsius"),
        ("in the heatwave a man in his [mid-30s] died", "age", "year"),
        ("after [three years] in office", "duration", "year"),
        ("the ferry carried [41] {people}", "count", None),
        ("[two-thirds] of the fleet", "ratio", None),
        ("[twice] as many {boats}", "multiple", None),
        ("{output} [tripled]", "multiple", None),
        ("a [ten-fold] rise", "multiple", None),
        ("the rent is [two to three times] too high", "multiple", None),
        ("they meet [two to three times] a week", "count", None),
        ("it was [five times] above the limit", "multiple", None),
        ("cut by [a factor of two]", "multiple", None),
        ("it passed the council [twice] last year", "count", None),
        ("leads the poll by [six points]", "percent", "percentage point"),
        ("the index lost [24.5 points]", "measure", "point"),
        ("a [6.4] quake hit the coast", "measure", "magnitude"),
        ("a [24 million pounds] loss", "money", "GBP"),
        ("[20 million pounds] of ore", "measure", "pound"),
        ("donors gave [millions] to charity", "money", "USD"),
        ("the flock of [1,200 head]", "count", "head"),
        ("gained [52] to 38 percent", "percent", "percent"),
        ("Says Okafor: I am [29].", "age", "year"),
        ("“I’m [61] as well,” she said", "age", "year"),
        ("He's [74], he was once a pilot", "age", "year"),
        ("At [54], she has won nine times", "age", "year"),
        ("At [54] {ports} ships are waiting", "count", None),
        ("a man of [34] who trained as a cook", "age", "year"),
        ("a mother of [four] said", "count", None),
        ("{islanders} <under> [30], mostly", "age", "year"),
        ("{those} held for <over> [four] were paid", "count", None),
        ("It was [nine] and it rained", "count", None),
        ("the merger turned [two] {firms} into one", "count", None),
        ("{Orders} stand at [26], and more will come", "count", None),
        ("a lead of [212 points] in the race", "measure", "point"),
        ("the lake has grown by a factor of [34]", "multiple", None),
        ("He is owed <more than> [640,000 pounds].", "money", "GBP"),
        ("an auction of [3.5 billion pounds] of notes", "money", "GBP"),
        ("it was 27C; in the sun it felt like [31 degrees]", "measure", "degree Celsius"),
        ("the mast leans [31 degrees] north", "measure", "degree"),
        ("from [90 cents] to €1.60", "money", "EUR"),
        ("947 million pounds turnover for a [107 million] {loss}", "money", "GBP"),
        ("20 million euros of debt, £9 million of tax, a [107 million] {loss}", "money", "GBP"),
        ("a 20 million euros turnover for a [107 million] {loss}", "money", "EUR"),
        ("a mine of 3,000 tonnes and a [107 million] {loss}", "money", "USD"),
        ("{voters} <older than> [30]", "age", "year"),
        ("{the dog} was [81].", "count", None),
        ("{He} is at [26], he says", "age", "year"),
        ("his daughter, [9], lives there", "age", "year"),
        ("a woman who died in May at [81].", "age", "year"),
        ("{Ana Ruiz and Ben Okafor}, [34] and 31, were found", "age", "year"),
        ("{a farmer}, from the hills, [42], said so", "age", "year"),
        ("{farmers}, from the hills, [42], said so", "count", None),
        ("{a farmer}, from the hills, [3], said so", "count", None),
        ("[30] {people} <under> 40", "count", None),
        ("there were [30] aged two", "count", None),
        ("children [5 years] old", "age", "year"),
        ("aged [24 months] or more", "age", "month"),
        ("At [200], she walked on", "count", None),
        ("at the age of [0]", "count", None),
        ("at the age of [124]", "age", "year"),
        ("at the age of [125]", "count", None),
        ("At [4], she ran", "count", None),
        ("At [5], she ran", "age", "year"),
        ("the {index} stood at [100]", "count", None),
        ("the {index} stood at [101]", "measure", "point"),
        ("a [12.5] quake", "count", None),
        ("a [6] quake", "count", None),
        ("a [10.9] quake", "measure", "magnitude"),
        ("[6.4] boats a day", "count", None),
        ("[three times] as large", "multiple", None),
        ("she called [three times] last year", "count", None),
        ("she called [2.5 times] last year", "multiple", None),
        ("magnified [three times] by the lens", "multiple", None),
        ("they gave [millions] of fans a tune", "count", None),
        ("a painting worth [millions]", "money", "USD"),
        ("[5 pounds] of flour", "measure", "pound"),
        ("they paid [5 pounds] for it", "money", "GBP"),
        ("the dog is [5 pounds] heavier", "measure", "pound"),
        ("the share fell [150 points]", "measure", "point"),
        ("the party fell [9 points]", "percent", "percentage point"),
        ("it was 30C at [25 degrees] north", "measure", "degree"),
        ("at 80F or 27C it was [25 degrees]", "measure", "degree"),
        ("at the age of [1]", "age", "year"),
        ("<at least> [12] aged under 18 were hurt", "count", None),
        ("a woman of [three] {talents}", "count", None),
        ("{Ana Ruiz} was [30] the year she won", "age", "year"),
        ("{Ana Ruiz and Ben Okafor}, [4] and 6, were found", "age", "year"),
        ("applicants <younger than> [30] may apply", "age", "year"),
        ("the <over> [65] age group", "age", "year"),
        ("everyone <over> [65] gets a vote", "age", "year"),
        ("{people} aged [18 to 24]", "age", "year"),
        ("Ines Okafor\nwas [81].", "age", "year"),
        ("the old pier shut for [three years]", "duration", "year"),
        ("served [5] to 10 years", "duration", "year"),
        ("Quake of [6.4] hits the coast", "measure", "magnitude"),
        ("a [0.8] tremor", "measure", "magnitude"),
        ("an [11.0] tremor", "count", None),
        ("They led the game by [12 points]", "measure", "point"),
        ("Her average in the polls fell [9 points]", "percent", "percentage point"),
        ("the Dow fell [24 points], or 1 percent", "measure", "point"),
        ("[a million pounds] went missing", "money", "GBP"),
        ("from [90 cents] to 1.60 euros", "money", "EUR"),
        ("the euro fell [2 cents] to 1.20 dollars", "money", "USD"),
        ("the ticket is [$5], or €4", "money", "USD"),
        ("it cost [5] to 10 euros", "money", "EUR"),
        ("a [1,000] {donation}", "money", "USD"),
        ("a $20 million turnover for a [107 million] {loss}", "money", "USD"),
        ("{a painting} worth [millions]", "money", "USD"),
        ("the charity fed [millions] of them", "count", None),
        ("Fans came in [millions]. Taxes rose.", "count", None),
        ("it rose [52] percent", "percent", "percent"),
        ("rose from [half] to 70 percent", "ratio", None),
        ("[half a million] people", "count", None),
        ("[Twice] it passed the council", "count", None),
    ],
)
def test_the_words_around_decide_the_kind(marked: str, kind: str, unit: str | None):
    found = read(marked)
    assert (found.kind, found.unit) == (kind, unit)


@pytest.mark.parametrize(
    ("marked", "modifier", "low", "high"),
    [
        ("exports of [28] tonnes", "exact", None, None),
        ("<only> [28]", "exact", None, None),
        ("<about> [28]", "approximate", None, None),
        ("<nearly> [28]", "approximate", None, None),
        ("<plus or minus> [28]", "approximate", None, None),
        ("<just shy of> [28]", "approximate", None, None),
        ("<at least> [28]", "lower_bound", 28, None),
        ("<no fewer than> [28]", "lower_bound", 28, None),
        ("[28] <or more>", "lower_bound", 28, None),
        ("[28+] boats", "lower_bound", 28, None),
        ("it surpassed [28] boats", "lower_bound", 28, None),
        ("<less than> [28]", "upper_bound", None, 28),
        ("<no more than> [28]", "upper_bound", None, 28),
        ("it never held <more than> [28]", "upper_bound", None, 28),
        ("<as many as> [28]", "upper_bound", None, 28),
        ("up to [28] boats", "upper_bound", None, 28),
        ("<around> [28 to 30]", "range", 28, 30),
        ("no other boat for hire carried <more than> [28]", "upper_bound", None, 28),
        ("no boat with <less than> [28] may sail", "upper_bound", None, 28),
        ("they signed up to [28]", "exact", None, None),
        ("the rate edged up to [28]", "exact", None, None),
        ("[nearly 28] boats", "approximate", None, None),
        ("<exactly> [28]", "exact", None, None),
        ("<as low as> [28]", "lower_bound", 28, None),
        ("<between> [28]", "approximate", None, None),
        ("<short of> [28]", "approximate", None, None),
        ("they never gave <more than> [28]", "upper_bound", None, 28),
        ("they never gave <over> [28]", "lower_bound", 28, None),
        ("the debt has passed [28 percent]", "lower_bound", 28, None),
        ("the debt has passed [$28]", "lower_bound", 28, None),
        ("at least [US$28]", "lower_bound", 28, None),
        ("about [US$28]", "approximate", None, None),
        ("Some [28] boats", "approximate", None, None),
        ("close to [28] boats", "approximate", None, None),
        ("a person close to [28] boats", "exact", None, None),
        ("no fewer than [28] boats", "lower_bound", 28, None),
        ("as few as [28] boats", "lower_bound", 28, None),
        ("just under [28] boats", "upper_bound", None, 28),
        ("<at\nleast> [28]", "lower_bound", 28, None),
        ("<a whopping> [28]", "exact", None, None),
        ("They sold [28] or more. It rained.", "lower_bound", 28, None),
    ],
)
def test_a_bound_carries_the_stated_number(marked, modifier, low, high):
    found = read(marked)
    assert (found.modifier, found.low, found.high) == (modifier, low, high)
    assert found.value == (None if modifier == "range" else 28)


@pytest.mark.parametrize(
    ("marked", "value", "low", "modifier"),
    [
        ("a couple of [dozen] {boats}", 24, None, "approximate"),
        ("<a couple of> [dozen] {boats}", 24, None, "approximate"),
        ("A few [hundred] {boats}", None, 200, "lower_bound"),
        ("several [million dollars]", None, 2_000_000, "lower_bound"),
        ("half a [million] {boats}", 500_000, None, "exact"),
        ("three quarters of a [million] {boats}", 750_000, None, "exact"),
        ("a couple of [28] {boats}", 28, None, "exact"),
        ("for the last [dozen] {boats}", 12, None, "exact"),
    ],
)
def test_a_scale_is_counted_by_the_words_before_it(marked, value, low, modifier):
    found = read(marked)
    assert (found.value, found.low, found.modifier) == (value, low, modifier)


@pytest.mark.parametrize(
    ("marked", "value", "unit"),
    [
        ("Bread went from 10,000 rials to [35,000], he said.", 35_000, "IRR"),
        ("The spread widened by 85 basis points to [410].", 410, "basis point"),
        ("The premium rose from 11 per cent of the sum to [17] after May.", 17, "percent"),
        ("Costs fell from 112 pence to [107.5].", 1.075, "GBP"),
        ("The margin was 4.4 gigawatts, down from [6.6] a year ago.", 6.6, "gigawatt"),
        ("They work 30 hours a week, up from [15] and rising.", 15, "hour per week"),
        ("It covers 6 hectares (15 acres), up from [2.5].", 2.5, "hectare"),
        ("It was 46 basis points, compared with [41] on Tuesday.", 41, "basis point"),
        ("Sales were 3,180 tonnes (prior period: [2,904]).", 2904, "tonne"),
        ("Support fell by 19 points, then rose, then up by [two].", 2, "percentage point"),
        ("a lead of 11 points, plus or minus [four].", 4, "percentage point"),
        ("They cut the 60-day wait to [30].", 30, "day"),
        ("The rate has gone from [31] to 62 boxes an hour.", 31, "box per hour"),
        ("The fee went from A$4,000 to [6,000], he said.", 6000, "AUD"),
        ("The fee went from €5 a day to [7], he said.", 7, "EUR per day"),
        ("The fee went from 90 cents to [95], he said.", 0.95, "USD"),
        ("The spread widened by 30 basis points to [10].", 10, "basis point"),
        ("The rate fell 30 basis points from [410] in May.", 410, "basis point"),
        ("Turnout was 31 percent, risen from [28] in May.", 28, "percent"),
        ("He works from 30 percent of the year to [40], they said.", 40, "percent"),
        ("{The fee} went from €5 a day to [7], he said.", 7, "EUR per day"),
        ("The fee went from €5 in 2019 to [7], he said.", 7, "EUR"),
        ("The fee went from €1.20 to [1.60], he said.", 1.6, "EUR"),
        ("Pay went from 12 cents to [9], he said.", 0.09, "USD"),
        ("Costs fell from 112 pence to [10.5].", 0.105, "GBP"),
        ("In 2019 sales were 3,180 tonnes (prior period: [2,904]).", 2904, "tonne"),
        ("The spread widened by 85 basis points from May to [411].", 411, "basis point"),
        ("It was 46 basis points, compared\nwith [41] on Tuesday.", 41, "basis point"),
        ("a lead of 11 points, <plus or minus> [four].", 4, "percentage point"),
        ("The wait is four weeks, against [six] in May.", 6, "week"),
        ("It was drilled in 61 days, compared with [118] for its rival.", 118, "day"),
    ],
)  # fmt: skip
def test_a_number_without_unit_takes_that_of_its_partner(marked, value, unit):
    found = read(marked)
    assert (found.value, found.unit) == (pytest.approx(value), unit)


def test_both_ends_of_a_range_are_counted_in_the_unit_of_their_partner():
    found = read("Costs fell from 112 pence to [105 to 107].")
    assert (found.low, found.high, found.unit) == (1.05, 1.07, "GBP")


def test_a_vague_number_takes_no_unit_of_a_partner():
    found = read("Support fell from 5 percent to [dozens], he said.")
    assert (found.low, found.unit) == (24, None)


@pytest.mark.parametrize(
    "marked",
    [
        "Exports rose 5 percent to [1,200] last year.",
        "Exports rose 5 percent from [1,200] a year ago.",
        "The fleet grew from 10 boats to [35].",
        "Approval fell 3 points to [45].",
        "They spent $3 million to hire [12] {nurses}.",
        "They spent $3 million to hire [12] nurses.",
        "They wait four years for a joint, against [190] in 2019.",
        "The index lost 2 percent to 1,204, from [1,229].",
        "She walked 3 km to [14], then home.",
        "The name went from one L to [two] in May.",
        "It cost 4 euros. It fell to [12].",
        "Cases rose from [71] to 148 in seven days.",
        "He gave 20 percent to [12], he said.",
        "Pay went from 90 cents to [1.60], he said.",
        "The spread widened by 30 basis points to [9].",
        "The spread widened by 30 basis points to [41.5].",
        "The spread widened by 85 basis points and went to [410].",
        "She drove 3 km from [12], then home.",
        "He went from 3 long years to [14], then home.",
        "Bread went from 10,000 rials to [35 loaves], he said.",
    ],
)
def test_a_number_that_counts_something_of_its_own_takes_no_unit(marked):
    found = read(marked)
    assert (found.unit, found.kind) == (None, "count")


@pytest.mark.parametrize(
    "around",
    ["from 3 tonnes to ", "by 5 metres to ", "to ", "from ", "(2019: ", "12,345 ", "a ", "up from ",
     "put on $5 to ", "fell 3%, Aa ", "(", "one in ", "At ", "cut "],
)  # fmt: skip
def test_no_surroundings_can_make_a_number_slow(around: str):
    before = around * 60
    started = time.process_time()
    read_quantity(f"{before}7{before}", len(before), len(before) + 1)
    assert time.process_time() - started < 0.5
