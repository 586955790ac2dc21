"""The story of an image as an XMP packet: written in one fixed form, read with suspicion.

Sources: XMP (ISO 16684-1), IPTC Photo Metadata Standard 2025.1, and IPTC's digital source types
(http://cv.iptc.org/newscodes/digitalsourcetype/, read 2026-11-21): `trainedAlgorithmicMedia` is
what a generative model made, `algorithmicMedia` what a program drew without one, as our stand-in does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat  # a declared document type is refused below, so no entity can expand
from xml.sax.saxutils import quoteattr

from keeprate.domain.provenance import Provenance

NAMESPACE: Final = "urn:keeprate:ns:1.0#"
LARGEST_PACKET: Final = 1_000_000  # bytes; larger ones are not ours
SOURCE_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP: Final = "http://ns.adobe.com/xap/1.0/"
# XML 1.0 has no way to write these, not even escaped; they become the replacement character.
_UNWRITABLE: Final = {
    code: "\ufffd"
    for code in (*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
    if code not in {0x09, 0x0A, 0x0D}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What a packet of ours says. `was_simple_webp` tells how to undo a WebP's extended header."""

    attempt_id: str
    image_sha256: str
    simulated: bool
    source_type: str
    prompt: str | None = None
    was_simple_webp: bool = False
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


def packet_of(provenance: Provenance) -> Packet:
    """Return what is put into the file itself: the essentials; the sidecar says all of it."""
    facts = {
        "Model": provenance.model,
        "ServedModel": provenance.served_model,
        "Upstream": provenance.upstream,
        "Purpose": provenance.purpose,
        "PriceId": provenance.price_id,
        "QuoteUsd": provenance.quote_expected_usd,
        "ChargeUsd": provenance.charge_usd,
        "PromptSha256": provenance.prompt_sha256,
        "Continues": provenance.continues,
    }
    return Packet(
        attempt_id=provenance.attempt_id,
        image_sha256=provenance.image_sha256,
        simulated=provenance.simulated,
        source_type="algorithmicMedia" if provenance.simulated else "trainedAlgorithmicMedia",
        prompt=provenance.prompt,
        facts={name: value for name, value in facts.items() if value is not None},
    )


def written(packet: Packet) -> bytes:
    """Return the packet as UTF-8 XML."""
    ours = {
        "Attempt": packet.attempt_id,
        "ImageSha256": packet.image_sha256,
        "Simulated": "True" if packet.simulated else "False",
        **packet.facts,
    }
    if packet.prompt is not None:
        ours["Prompt"] = packet.prompt
    if packet.was_simple_webp:
        ours["WebpContainer"] = "simple"
    attributes = {
        "rdf:about": "",
        "xmlns:xmp": _XMP,
        "xmlns:Iptc4xmpExt": _IPTC,
        "xmlns:keeprate": NAMESPACE,
        "xmp:CreatorTool": "Keeprate",
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + packet.source_type,
        **{f"keeprate:{name}": value for name, value in ours.items()},
    }
    lines = "".join(f"\n    {name}={_quoted(value)}" for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f' <rdf:RDF xmlns:rdf="{_RDF}">\n'
        f"  <rdf:Description{lines}/>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode()


def _quoted(text: str) -> str:
    # A reader turns line breaks in an attribute into spaces unless they are written as references.
    breaks = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    return quoteattr(text.translate(_UNWRITABLE), breaks)


def parsed(text: bytes) -> Packet | None:
    """Return what a packet of ours says; None for other packets and for anything that is not well formed.

    A declared document type ends the reading at once, so no entity is ever expanded.
    """
    if len(text) > LARGEST_PACKET or NAMESPACE.encode() not in text:
        return None
    found: dict[str, str] = {}
    parser = expat.ParserCreate("UTF-8", namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == f"{_RDF}}}Description":
            found.update(attributes)

    def refuse(*_declared: object) -> None:
        raise expat.ExpatError

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError:
        return None
    return _packet(found)


def _packet(attributes: Mapping[str, str]) -> Packet | None:
    prefix = f"{NAMESPACE}}}"
    ours = {name.removeprefix(prefix): value for name, value in attributes.items() if name.startswith(prefix)}
    attempt_id, sha256 = ours.pop("Attempt", None), ours.pop("ImageSha256", None)
    if attempt_id is None or sha256 is None:
        return None
    return Packet(
        attempt_id=attempt_id,
        image_sha256=sha256,
        simulated=ours.pop("Simulated", "") == "True",
        source_type=attributes.get(f"{_IPTC}}}DigitalSourceType", "").removeprefix(SOURCE_TYPES),
        prompt=ours.pop("Prompt", None),
        was_simple_webp=ours.pop("WebpContainer", None) == "simple",
        facts=ours,
    )
