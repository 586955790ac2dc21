"""Drive the unmodified google-genai SDK against one base URL and print what came back, as JSON.

Run by the Python of a client environment, never by ours: it imports the SDK and Pillow and nothing of Keeprate.

    python google_genai.py BASE_URL [--without-aiohttp]
"""

import argparse
import asyncio
import importlib.metadata
import inspect
import io
import json
import sys
import warnings
from importlib.abc import MetaPathFinder

PRO = "gemini-3-pro-image"
FLASH = "gemini-3.1-flash-image"
IMAGEN = "imagen-4.0-generate-001"
WORDS = "A poster that says 'GRAND OPENING' in red"


class _Absent(MetaPathFinder):
    """Make a package look as if it were not installed."""

    def __init__(self, package):
        self._package = package

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] == self._package:
            raise ModuleNotFoundError(fullname, name=fullname)


async def settle(result):
    """Return what a call gives, whether the client is the sync or the async one."""
    return await result if inspect.isawaitable(result) else result


async def collect(stream):
    """Return all chunks of a stream of either kind."""
    if hasattr(stream, "__aiter__"):
        return [chunk async for chunk in stream]
    return list(stream)


def seen(data, mime_type):
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return {"format": picture.format, "pixels": list(picture.size), "mime_type": mime_type}


def pictures(reply):
    return [
        seen(part.inline_data.data, part.inline_data.mime_type)
        for candidate in reply.candidates or []
        for part in (candidate.content.parts if candidate.content else None) or []
        if part.inline_data and not part.thought
    ]


def told(reply):
    usage = reply.usage_metadata
    return {
        "pictures": pictures(reply),
        "finish": [
            str(getattr(one.finish_reason, "value", one.finish_reason)) for one in reply.candidates or []
        ],
        "model_version": reply.model_version,
        "prompt_tokens": usage.prompt_token_count if usage else None,
        "image_tokens": sum(
            detail.token_count or 0
            for detail in (usage.candidates_tokens_details if usage else None) or []
            if str(getattr(detail.modality, "value", detail.modality)) == "IMAGE"
        ),
        "total_tokens": usage.total_token_count if usage else None,
    }


def reference(colour):
    from PIL import Image

    return Image.new("RGB", (320, 240), colour)


def drawing(**image):
    from google.genai import types

    return types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(**image)
    )


async def generate(client):
    config = drawing(aspect_ratio="16:9", image_size="2K")
    return told(await settle(client.models.generate_content(model=PRO, contents=WORDS, config=config)))


async def edit_with_three_references(client):
    contents = ["Put these together", *map(reference, ("red", "green", "blue"))]
    return told(await settle(client.models.generate_content(model=PRO, contents=contents, config=drawing())))


async def chat(client):
    talk = client.chats.create(model=PRO, config=drawing(aspect_ratio="1:1"))
    turns = [told(await settle(talk.send_message(words))) for words in ("A red kite", "Now make it blue")]
    signed = sum(1 for turn in talk.get_history() for part in turn.parts or [] if part.thought_signature)
    return {"turns": turns, "history": len(talk.get_history()), "signed_parts": signed}


async def stream(client):
    opened = client.models.generate_content_stream(model=FLASH, contents=WORDS, config=drawing())
    chunks = await collect(await settle(opened))
    return {
        "chunks": len(chunks),
        "pictures": [picture for chunk in chunks for picture in pictures(chunk)],
        "last": told(chunks[-1]),
    }


async def files(client):
    from google.genai import types

    sheet = io.BytesIO()
    reference("orange").save(sheet, format="PNG")
    size = sheet.tell()
    sheet.seek(0)
    config = types.UploadFileConfig(mime_type="image/png", display_name="sheet")
    uploaded = await settle(client.files.upload(file=sheet, config=config))
    found = await settle(client.files.get(name=uploaded.name))
    reply = await settle(
        client.models.generate_content(model=PRO, contents=["Repeat this", uploaded], config=drawing())
    )
    await settle(client.files.delete(name=uploaded.name))
    return {"sent": size, "kept": found.size_bytes, "mime_type": found.mime_type, **told(reply)}


async def imagen(client):
    from google.genai import types

    config = types.GenerateImagesConfig(number_of_images=2, aspect_ratio="16:9")
    reply = await settle(client.models.generate_images(model=IMAGEN, prompt=WORDS, config=config))
    return {
        "pictures": [
            seen(one.image.image_bytes, one.image.mime_type) for one in reply.generated_images if one.image
        ]
    }


async def count(client):
    reply = await settle(client.models.count_tokens(model=PRO, contents=WORDS))
    return {"total_tokens": reply.total_tokens}


async def unknown_model(client):
    return told(await settle(client.models.generate_content(model="gemini-3-pro-imago", contents=WORDS)))


CASES = {
    "generate": generate,
    "edit": edit_with_three_references,
    "chat": chat,
    "stream": stream,
    "files": files,
    "imagen": imagen,
    "count": count,
    "unknown_model": unknown_model,
}


async def observe(case, client):
    """Return what one case gave, or the client's own error as a result to be judged."""
    try:
        return await case(client)
    except Exception as error:
        return {
            "error": type(error).__name__,
            "code": getattr(error, "code", None),
            "message": str(error)[:300],
        }


def connected(mode, base_url):
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=base_url)
    if mode == "gemini":
        return genai.Client(api_key="not-a-real-key", http_options=options)
    from google.oauth2.credentials import Credentials

    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="not-a-real-token"),
        http_options=options,
    )


async def drive(base_url):
    results = {}
    for mode in ("gemini", "vertex"):
        client = connected(mode, base_url)
        for style, front in (("sync", client), ("async", client.aio)):
            for name, case in CASES.items():
                results[f"{mode} {style} {name}"] = await observe(case, front)
        if hasattr(client.aio, "aclose"):
            await client.aio.aclose()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--without-aiohttp", action="store_true")
    arguments = parser.parse_args()
    if arguments.without_aiohttp:
        sys.meta_path.insert(0, _Absent("aiohttp"))
    warnings.simplefilter("ignore")
    report = {
        "version": importlib.metadata.version("google-genai"),
        "results": asyncio.run(drive(arguments.base_url)),
        "aiohttp": "aiohttp" in sys.modules,
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
