"""Drive the unmodified openai SDK against one base URL and print what came back, as JSON.

Run by the Python of a client environment, never by ours: it imports the SDK and Pillow and nothing of Keeprate.

    python openai_images.py BASE_URL [KEY]
"""

import asyncio
import base64
import importlib.metadata
import inspect
import io
import json
import sys
import urllib.request

import openai
from openai.types import ImagesResponse
from PIL import Image

MODEL = "gpt-image-2"
BLOCKED_ONCE = {openai.OpenAI: "block-one-of-sync", openai.AsyncOpenAI: "block-one-of-async"}


async def settle(result):
    """Return what a call gives, whether the client is the sync or the async one."""
    return await result if inspect.isawaitable(result) else result


async def collect(stream):
    """Return all events of a stream of either kind."""
    if hasattr(stream, "__aiter__"):
        return [event async for event in stream]
    return list(stream)


def reference(color):
    written = io.BytesIO()
    Image.new("RGB", (96, 96), color).save(written, "PNG")
    return written.getvalue()


def seen(data):
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return {"format": picture.format.lower(), "size": "{}x{}".format(*picture.size)}


def told(reply):
    """Return what a reply says, once the SDK's own types have checked it strictly."""
    ImagesResponse.model_validate(reply.model_dump(exclude_none=True), strict=True)
    return {
        "pictures": [seen(base64.b64decode(one.b64_json)) for one in reply.data],
        "size": reply.size,
        "output_format": reply.output_format,
        "quality": reply.quality,
        "total_tokens": reply.usage.total_tokens,
        "reference_tokens": reply.usage.input_tokens_details.image_tokens,
        "request_id": reply._request_id,
    }


async def generate(client):
    return told(await settle(client.images.generate(model=MODEL, prompt="a lamp", size="1536x1024")))


async def edit_one(client):
    call = client.images.edit(model=MODEL, image=reference("teal"), prompt="make it night")
    return told(await settle(call))


async def edit_three(client):
    images = [reference(color) for color in ("teal", "red", "white")]
    call = client.images.edit(
        model=MODEL,
        image=images,
        prompt="put them on one table",
        input_fidelity="low",
        extra_body={"keeprate": {"purpose": "social"}},
    )
    return told(await settle(call))


async def variation(client):
    call = client.images.create_variation(
        image=reference("teal"), extra_body={"keeprate": {"purpose": "draft"}}
    )
    return told(await settle(call))


async def stream(client):
    opened = await settle(client.images.generate(model=MODEL, prompt="a lamp", stream=True, partial_images=2))
    return events(await collect(opened))


async def edit_stream(client):
    call = client.images.edit(model=MODEL, image=reference("teal"), prompt="make it night", stream=True)
    return events(await collect(await settle(call)))


def events(got):
    return {
        "types": [event.type for event in got],
        "classes": [type(event).__name__ for event in got],
        "pictures": [seen(base64.b64decode(event.b64_json)) for event in got],
        "total_tokens": got[-1].usage.total_tokens,
    }


async def four(client):
    return told(await settle(client.images.generate(prompt="a lamp", n=4, output_format="webp")))


async def purpose(client):
    raw = await settle(
        client.images.with_raw_response.generate(
            model="auto",
            prompt="a lamp",
            size="1792x1024",
            extra_body={"keeprate": {"purpose": "hero", "size": "2K"}},
        )
    )
    return {
        **told(raw.parse()),
        "headers": {name: value for name, value in raw.headers.items() if "keeprate" in name},
    }


def opened(url):
    """Return what a link leads to, for somebody without a key."""
    with urllib.request.urlopen(url) as answer:
        return {**seen(answer.read()), "sniff": answer.headers["x-content-type-options"]}


async def link(client):
    reply = await settle(client.images.generate(model="dall-e-3", prompt="a lamp", response_format="url"))
    return await asyncio.to_thread(opened, reply.data[0].url)


async def models(client):
    page = await settle(client.models.list())
    one = await settle(client.models.retrieve("gemini-3-pro-image"))
    return {"ids": [model.id for model in page.data], "one": one.owned_by}


async def mask(client):
    image = reference("teal")
    await settle(client.images.edit(model=MODEL, image=image, mask=image, prompt="make it night"))


async def transparent(client):
    await settle(client.images.generate(model=MODEL, prompt="a lamp", background="transparent"))


async def unknown_field(client):
    await settle(client.images.generate(prompt="a lamp", extra_body={"negative_prompt": "fog"}))


async def unknown_model(client):
    await settle(client.images.generate(prompt="a lamp", model="no-such-model"))


async def blocked(client):
    await settle(client.images.generate(prompt="a lamp, please-block", model="gemini-3-pro-image"))


async def lost(client):
    await settle(client.images.generate(prompt="a lamp, please-lose", model="gemini-3-pro-image"))


async def some_of_a_stream(client):
    words, count = f"a lamp, {BLOCKED_ONCE[type(client)]}", 0
    opened = await settle(client.images.generate(model="gemini-3-pro-image", prompt=words, n=2, stream=True))
    try:
        if hasattr(opened, "__aiter__"):
            async for _event in opened:
                count += 1
        else:
            for _event in opened:
                count += 1
    except openai.APIError as error:
        return {
            "events": count,
            "error": type(error).__name__,
            "code": error.code,
            "message": error.message,
        }
    return {"events": count}


CASES = (
    generate,
    edit_one,
    edit_three,
    variation,
    stream,
    edit_stream,
    four,
    purpose,
    link,
    models,
    mask,
    transparent,
    unknown_field,
    unknown_model,
    blocked,
    lost,
    some_of_a_stream,
)


async def run(client, style, results):
    for case in CASES:
        try:
            results[f"{style} {case.__name__}"] = await case(client)
        except openai.APIStatusError as error:
            results[f"{style} {case.__name__}"] = {
                "error": type(error).__name__,
                "status": error.status_code,
                "code": error.code,
                "param": error.param,
                "message": error.message,
                "request_id": error.request_id,
                "retry": error.response.headers.get("x-should-retry"),
            }


def main():
    base_url, key = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "none"
    results = {}
    asyncio.run(run(openai.OpenAI(base_url=base_url, api_key=key), "sync", results))
    asyncio.run(run(openai.AsyncOpenAI(base_url=base_url, api_key=key), "async", results))
    version = importlib.metadata.version("openai")
    print(json.dumps({"version": version, "results": results, "aiohttp": False}))


if __name__ == "__main__":
    main()
