"""Who the speakers are: roles, affiliations, persons, on articles known by hand."""

from __future__ import annotations

from dataclasses import replace

from claimx.metrics.figures import Counts
from claimx.metrics.scoring import score
from claimx.metrics.speakers import person_clusters
from claimx.types import AnnotatedArticle, AnnotatedSpan
from tests.annotating import annotate, count

NAMES = "Mara Lind spoke. Lind left. Lind came back."
THREE_MENTIONS = [
    ("p1", "PERSON", "Mara Lind"),
    ("p2", "PERSON", "Lind", 1),
    ("p3", "PERSON", "Lind", 2),
]

STORY = (
    "Harbour chief Mara Lind opened the quay. Lind, an engineer, left early. "
    "She said it was sound. The harbour chief said more."
)
STORY_SPANS = [
    ("r1", "ROLE", "chief"),
    ("p1", "PERSON", "Mara Lind"),
    ("p2", "PERSON", "Lind", 1),
    ("r2", "ROLE", "engineer"),
    ("s1", "SPEAKER", "She"),
    ("s2", "SPEAKER", "The harbour chief"),
    ("r3", "ROLE", "chief", 1),
]
STORY_LINKS = [
    ("has_role", "p1", "r1"),
    ("has_role", "p2", "r2"),
    ("has_role", "s2", "r3"),
    ("refers_to", "s1", "p1"),
]


def test_roles_are_united_over_the_mentions_of_a_person():
    gold = annotate(STORY, STORY_SPANS, STORY_LINKS)
    linked_mentions = annotate(STORY, STORY_SPANS, [*STORY_LINKS, ("same_person", "p2", "p1")])

    # She: chief and engineer; the harbour chief: chief.
    assert count(gold, linked_mentions)["speaker_role", "attribution"] == Counts.paired(3, 3, 3)
    # Without same_person the predicted side knows only the role of the mention referred to.
    assert count(gold, gold)["speaker_role", "attribution"] == Counts.paired(2, 2, 3)


def test_one_role_in_the_same_words_twice_is_one_item():
    links = [("has_role", "p1", "r1"), ("has_role", "s2", "r3"), ("refers_to", "s2", "p1")]
    gold = annotate(STORY, STORY_SPANS, links)

    assert count(gold, gold)["speaker_role", "attribution"] == Counts.paired(1, 1, 1)


def test_a_role_is_right_by_equal_text_elsewhere_or_by_overlap():
    gold = annotate(STORY, STORY_SPANS, STORY_LINKS)
    by_text = annotate(STORY, STORY_SPANS, [("refers_to", "s1", "p1"), ("has_role", "p1", "r3")])
    longer = [("r1", "ROLE", "Harbour chief") if s[0] == "r1" else s for s in STORY_SPANS]
    by_overlap = annotate(STORY, longer, [("refers_to", "s1", "p1"), ("has_role", "p1", "r1")])
    wrong = annotate(STORY, STORY_SPANS, [("has_role", "s2", "r2")])

    key = "speaker_role", "attribution"
    assert count(gold, by_text)[key] == Counts.paired(1, 1, 3)
    assert count(gold, by_overlap)[key] == Counts.paired(1, 1, 3)
    assert count(gold, wrong)[key] == Counts.paired(0, 1, 3)


def test_a_name_inside_the_speaker_brings_its_affiliation():
    text = "Tove Aas of the Pilots' Union said so."
    spans = [
        ("s", "SPEAKER", "Tove Aas of the Pilots' Union"),
        ("p", "PERSON", "Tove Aas"),
        ("a", "AFFILIATION", "the Pilots' Union"),
    ]
    gold = annotate(text, spans, [("affiliated_with", "p", "a"), ("refers_to", "s", "p")])
    predicted = annotate(text, spans, [("affiliated_with", "p", "a")])

    assert count(gold, predicted)["speaker_affiliation", "attribution"] == Counts.paired(1, 1, 1)


def clusters_of(*names: str) -> list[list[str]]:
    text = ". ".join(names)
    seen: dict[str, int] = {}
    position, spans = 0, []
    for index, name in enumerate(names):
        start = text.index(name, position)
        position = start + len(name)
        seen[name] = index
        spans.append(AnnotatedSpan(str(index), "identity", "PERSON", start, position, name))
    groups: dict[str, list[str]] = {}
    for span_id, group in person_clusters(
        AnnotatedArticle("a", text, tuple(spans)), by_name=True
    ).items():
        groups.setdefault(group, []).append(names[int(span_id)])
    return list(groups.values())


def test_mentions_join_by_a_last_name_that_one_person_has():
    assert clusters_of("Mara Lind", "Aas", "Lind", "Lind") == [
        ["Mara Lind", "Lind", "Lind"],
        ["Aas"],
    ]


def test_a_last_name_that_two_people_share_joins_equal_full_names_alone():
    assert clusters_of("Mara Lind", "Ole Lind", "Lind", "Ole Lind") == [
        ["Mara Lind"],
        ["Ole Lind", "Ole Lind"],
        ["Lind"],
    ]


def test_annotated_same_person_links_replace_the_rule_of_last_names():
    article = annotate(NAMES, THREE_MENTIONS, [("same_person", "p3", "p1")])

    assert person_clusters(article, by_name=True) == {"p1": "p1", "p2": "p2", "p3": "p1"}


def test_a_nameless_speaker_is_right_by_any_mention_of_the_person():
    spans = [*THREE_MENTIONS, ("s", "SPEAKER", "Lind left"), ("t", "SPEAKER", "back")]
    gold = annotate(NAMES, spans, [("refers_to", "t", "p1"), ("refers_to", "s", "p1")])
    linked = annotate(NAMES, spans, [("refers_to", "t", "p3")])

    # "Lind left" holds a name and is left out.
    tally = count(gold, gold, linked)

    assert tally["references", "attribution"] == Counts.paired(1, 1, 1)
    assert ("pronouns", "attribution") not in tally


def test_a_pronoun_is_right_only_with_all_its_persons_and_no_other():
    text = "Mara Lind met Tove Aas. They said yes."
    spans = [
        ("p1", "PERSON", "Mara Lind"),
        ("p2", "PERSON", "Tove Aas"),
        ("s", "SPEAKER", "They"),
    ]
    both = [("refers_to", "s", "p1"), ("refers_to", "s", "p2")]
    gold = annotate(text, spans, both)

    half = count(gold, gold, annotate(text, spans, both[:1]))

    assert half["pronouns", "attribution"] == Counts.share(0, 1)
    assert half["references", "attribution"] == Counts.paired(1, 1, 2)
    assert count(gold, gold, gold)["pronouns", "attribution"] == Counts.share(1, 1)


NAMELESS = "Mara Lind met Tove Aas. She said yes. It said no. The board said little."
NAMELESS_SPANS = [
    ("p1", "PERSON", "Mara Lind"),
    ("p2", "PERSON", "Tove Aas"),
    ("s1", "SPEAKER", "She"),
    ("s2", "SPEAKER", "It"),
    ("s3", "SPEAKER", "The board"),
]


def test_nameless_speakers_stand_beside_the_answer_nobody():
    gold = annotate(NAMELESS, NAMELESS_SPANS, [("refers_to", "s1", "p1")])
    wrong_person = annotate(
        NAMELESS, NAMELESS_SPANS, [("refers_to", "s1", "p2"), ("refers_to", "s2", "p2")]
    )

    # Of She, It and The board the model has the last alone right; "nobody" the last two.
    tally = count(gold, gold, wrong_person)

    assert tally["nameless", "attribution", "right"] == Counts.share(1, 3)
    assert tally["nameless", "attribution", "nobody"] == Counts.share(2, 3)
    assert count(gold, gold, gold)["nameless", "attribution", "right"] == Counts.share(3, 3)


def test_nobody_is_no_answer_where_the_persons_are_not_all_annotated():
    linked = annotate(NAMELESS, NAMELESS_SPANS, [("refers_to", "s1", "p1")])
    attribution = replace(linked, complete_layers=("attribution",))

    whole, half = score([(linked, linked), (attribution, attribution)],
                        [(linked, linked), (attribution, attribution)])  # fmt: skip

    assert ("nameless", "attribution", "nobody") in whole
    assert ("nameless", "attribution", "nobody") not in half
