"""A picture in another format: the same pixels as near as the format allows, and nothing else of the file."""

import io

import pytest
from PIL import Image, ImageChops

from keeprate.domain.errors import UnreadableReference
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.images import ImageKind, sniff


def picture(mode: str, kind: str) -> bytes:
    drawn = Image.linear_gradient("L").resize((96, 64)).convert(mode)
    if mode == "RGBA":
        drawn.putalpha(Image.linear_gradient("L").resize((96, 64)))
    written = io.BytesIO()
    drawn.save(written, kind, **({"quality": 95} if kind != "PNG" else {}))
    return written.getvalue()


@pytest.fixture(scope="module")
def decoder():
    one = ImageDecoder()
    yield one
    one.close()


@pytest.mark.parametrize("kind", ImageKind)
@pytest.mark.parametrize(
    ("mode", "source"),
    [("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("P", "PNG"), ("RGB", "JPEG"), ("RGBA", "WEBP")],
)
def test_any_picture_can_be_had_in_any_format(
    decoder: ImageDecoder, kind: ImageKind, mode: str, source: str
) -> None:
    content = picture(mode, source)
    written = decoder.encoded(content, kind, quality=95, field="picture")
    assert sniff(written) is kind
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(written)) as after:
        assert after.size == before.size
        flat = Image.new("RGB", before.size, "white")
        seen = before.convert("RGBA")
        flat.paste(seen, mask=seen.getchannel("A"))
        shown = Image.new("RGB", after.size, "white")
        shown.paste(after.convert("RGBA"), mask=after.convert("RGBA").getchannel("A"))
        worst = max(most for _least, most in ImageChops.difference(flat, shown).getextrema())
        assert worst <= 12


def test_a_lower_quality_takes_fewer_bytes(decoder: ImageDecoder) -> None:
    content = picture("RGB", "PNG")
    for kind in (ImageKind.JPEG, ImageKind.WEBP):
        low = decoder.encoded(content, kind, quality=5, field="picture")
        assert len(low) < len(decoder.encoded(content, kind, quality=95, field="picture"))


def test_what_is_no_picture_is_refused(decoder: ImageDecoder) -> None:
    with pytest.raises(UnreadableReference):
        decoder.encoded(b"no picture", ImageKind.PNG, quality=95, field="picture")
