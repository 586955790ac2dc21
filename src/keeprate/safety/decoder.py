"""The child process that decodes images from outside: `python -I -m keeprate.safety.decoder`.

It limits itself before it reads a byte, holds no secret and opens no file. A job is a line of JSON with
the payload's length, then the payload; so is the answer. What it cannot survive costs the parent one
child, never itself. `decoding` is the parent's side.
"""

import io
import json
import sys
import warnings
from dataclasses import asdict
from typing import BinaryIO, Final

from PIL import Image, ImageOps

from keeprate.safety.decode_jobs import Done, Job

try:
    import resource
except ImportError:  # Windows: no limits of this kind there, the parent's timeout remains
    resource = None

MOST_MEMORY: Final = 1_500_000_000  # address space, bytes: 50 megapixels decoded, turned and encoded
MOST_CPU_S: Final = 20  # per job
MOST_PIXELS: Final = 50_000_000

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def main() -> None:
    """Serve jobs until the parent closes the pipe."""
    _limit_once()
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    while (job := _next_job(sys.stdin.buffer)) is not None:
        _limit_cpu()
        _serve(job, sys.stdin.buffer.read(job.bytes_count), sys.stdout.buffer)


def _next_job(jobs: BinaryIO) -> Job | None:
    line = jobs.readline()
    return Job(**json.loads(line)) if line else None


def _serve(job: Job, content: bytes, answers: BinaryIO) -> None:
    fault, result = None, b""
    try:
        result = _done(job, content)
    except (OSError, SyntaxError, ValueError, MemoryError, Warning, Image.DecompressionBombError) as error:
        fault = f"{type(error).__name__}: {error}"[:200]
    answers.write(json.dumps(asdict(Done(fault=fault, bytes_count=len(result)))).encode() + b"\n")
    answers.write(result)
    answers.flush()


def _done(job: Job, content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=(job.format,)) as image:
        if image.size != (job.width, job.height):
            raise ValueError("its header can be read in two ways")
        if job.task == "thumbnail":
            return _thumbnail(image, job.edge)
        image.load()
        match job.task:
            case "upright":
                return _upright(image, job)
            case "png":
                return _png(image)
            case "encode":
                return _encoded(image, job)
            case _:
                return b""


def _upright(image: Image.Image, job: Job) -> bytes:
    turned = image.transpose(_TURNS[job.orientation])
    # Pillow writes metadata it finds here; the file was cleaned, and only the colour profile may stay.
    profile = image.info.get("icc_profile")
    turned.info = {}
    written = io.BytesIO()
    match job.format:
        case "JPEG":
            turned.save(written, "JPEG", quality=95, subsampling=0, icc_profile=profile)
        case "WEBP":
            turned.save(written, "WEBP", quality=95, icc_profile=profile)
        case _:
            turned.save(written, "PNG", compress_level=4, icc_profile=profile)
    return written.getvalue()


def _png(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile")
    bare = image if image.mode in {"RGB", "RGBA", "L", "LA"} else image.convert("RGB")
    bare.info = {}
    written = io.BytesIO()
    bare.save(written, "PNG", compress_level=4, icc_profile=profile)
    return written.getvalue()


def _encoded(image: Image.Image, job: Job) -> bytes:
    if job.into == "PNG":
        return _png(image)
    profile = image.info.get("icc_profile")
    bare = image.convert("RGBA" if image.has_transparency_data else "RGB")
    bare.info = {}
    written = io.BytesIO()
    if job.into == "WEBP":
        bare.save(written, "WEBP", quality=job.quality, method=4, icc_profile=profile)
        return written.getvalue()
    # A JPEG has no see-through pixels; white is what a page shows behind them.
    paper = Image.new("RGB", bare.size, "white")
    paper.paste(bare, mask=bare.getchannel("A") if bare.mode == "RGBA" else None)
    paper.save(written, "JPEG", quality=job.quality, subsampling=0, icc_profile=profile)
    return written.getvalue()


def _thumbnail(image: Image.Image, edge: int) -> bytes:
    # A JPEG can be decoded at a fraction of its size, which saves most of the work.
    image.draft("RGB", (edge, edge))
    has_alpha = image.has_transparency_data
    small = ImageOps.contain(image.convert("RGBA" if has_alpha else "RGB"), (edge, edge))
    written = io.BytesIO()
    small.save(written, "WEBP", quality=80, method=4)
    return written.getvalue()


def _limit_once() -> None:
    if resource is None:
        return
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(limit, (most, most))


def _limit_cpu() -> None:
    """Give the next job its own share: the system counts over the process's life."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + MOST_CPU_S
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


if __name__ == "__main__":
    main()
