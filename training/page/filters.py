"""The form that narrows a list; it is hidden where no script runs."""

from __future__ import annotations

from collections.abc import Mapping

from claimx.page.markup import Html, element, escape, words


def filters(prefix: str, things: str, choices: Mapping[str, tuple[str, Mapping[str, str]]]) -> Html:
    """Return a form for the list whose id is ``PREFIX-list``.

    Args:
        prefix: of the ids.
        things: what the list holds.
        choices: data attribute of its items -> label of the choice and value -> its name.
    """
    fields = [
        element(
            "label",
            words(f"{label} "),
            element(
                "select",
                element("option", escape("all"), value=""),
                *(element("option", words(text), value=value) for value, text in options.items()),
                data_for=key,
            ),
        )
        for key, (label, options) in choices.items()
    ]
    search = element("label", escape("Containing "), element("input", type="search"))
    count = element("output", class_="count")
    reset = element("button", escape("Show all"), type="reset")
    return element(
        "form",
        *fields,
        search,
        reset,
        count,
        class_="filters",
        data_list=f"{prefix}-list",
        data_things=things,
        aria_label=f"Filter {things}",
        hidden=True,
    )
