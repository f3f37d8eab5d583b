"""The examples as HTML: raw text, and every field by its name."""

from collections.abc import Mapping, Sequence

from services.fix.codes import Version
from services.fix.decode import Line, decode, raw_messages
from services.fix.fields import SOH
from services.fix.spec.conversations import Conversation, conversations
from services.fix.spec.html import Html, join, tag
from services.fix.spec.rehearsal import Exchange

__all__ = ["examples"]

HEADER = (8, 9, 34, 35, 49, 52, 56, 10)


def examples(versions: Sequence[Version], names: Mapping[Version, str]) -> Html:
    """Return every conversation in the versions; one of them is unfolded."""
    spoken = {version: {each.key: each for each in conversations(version)} for version in versions}
    first = Version.FIX44 if Version.FIX44 in spoken else versions[0]
    parts: list[Html] = [
        tag("h2", "Examples", id="examples"),
        tag("p", "OMS is you, PENSTOCK is us. Fields of header and trailer are left out below."),
    ]
    for key, shown in spoken[first].items():
        parts.append(tag("h3", shown.title, id=f"x-{key}"))
        parts.append(tag("p", shown.text))
        parts += [
            _folded(names[version], own[key], is_open=version is first)
            for version, own in spoken.items()
            if key in own
        ]
    return join(parts)


def _folded(name: str, conversation: Conversation, *, is_open: bool) -> Html:
    said = join(_exchange(each) for each in conversation.exchanges)
    summary = tag("summary", f"FIX {name}")
    return Html(f"<details{' open' if is_open else ''}>{summary}{said}</details>")


def _exchange(exchange: Exchange) -> Html:
    raw = next(raw_messages(exchange.text.decode("latin-1")))
    made = decode(raw)
    who, kind = ("PENSTOCK → OMS", "say ours") if exchange.is_ours else ("OMS → PENSTOCK", "say")
    shown = exchange.text.decode("latin-1").replace(SOH, "|")
    return tag(
        "div",
        tag("h4", f"{who}: {made.title} ({made.type})"),
        tag("div", shown, class_="raw mono"),
        tag(
            "div", *(_field(each) for each in made.lines if each.tag not in HEADER), class_="fields"
        ),
        class_=kind,
    )


def _field(line: Line) -> Html:
    meaning = tag("span", line.meaning.replace("_", " ").lower(), class_="e")
    return tag(
        "div",
        tag("span", line.tag, class_="t mono"),
        tag("span", line.name),
        tag("span", line.value, " " if line.meaning else "", meaning, class_="w mono"),
    )
