"""The reference page of the HTTP API, told from its own OpenAPI document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from keeprate.domain import purposes
from keeprate.domain.budgets import Window
from keeprate.domain.geometry import Size
from keeprate.domain.terms import Grant
from keeprate.domain.verdicts import VerdictKind
from keeprate.gateway.api.table import LOOKS, Row, application, described, rows
from keeprate.gateway.desk import Desk

Schema = Mapping[str, Any]
OPENING = """# HTTP API

`keeprate serve` answers these under its base URL; `/api/openapi.json` is the same as an OpenAPI 3.1 document.

Send a key as `Authorization: Bearer …`, `x-api-key`, `x-goog-api-key` or `?key=`. On loopback, while no key was ever
made in the home, whoever can reach the port is the owner. Each endpoint names the scope a key needs; `admin` opens all.
A key that only buys sees what it bought itself.

Money is US dollars as exact text, moments are ISO 8601 in UTC. A field that is unknown or of another type is refused.
Every answer carries `x-request-id`; errors are problems after [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) with
`code`, `field`, `value`, `remedy` and `facts` beside the standard members, and `x-should-retry` says whether sending
again can help. What is not yours and what is not there is the same 404.
"""


def page() -> str:
    # The description needs no house: nobody is served by it.
    table = rows(cast("Desk", None))
    document = described(application(table))
    paths = cast("Mapping[str, Mapping[str, Schema]]", document["paths"])
    lines = [OPENING]
    for row in table:
        lines += _operation(row, paths[row.path][row.method.lower()])
    lines += ["", "## Shapes", "", "What the endpoints take and give, by name."]
    schemas = cast("Mapping[str, Schema]", cast("Schema", document["components"])["schemas"])
    for name, schema in sorted(schemas.items()):
        if "properties" in schema:
            lines += ["", f"### {name}", "", _text(schema.get("description", "")), "", *_fields(schema)]
    return "\n".join(lines).rstrip() + "\n"


def _operation(row: Row, operation: Schema) -> Iterator[str]:
    also = " or any other that buys or judges" if row.also == LOOKS else ""
    yield f"\n## {row.method} {row.path}\n"
    yield _text(operation["description"])
    yield f"\nScope: `{row.needs}`{also}."
    parameters: Sequence[Schema] = operation.get("parameters", ())
    if parameters:
        yield "\n| parameter | in | type | |\n|---|---|---|---|"
        for one in parameters:
            must = "required" if one.get("required") else ""
            yield f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} | {must} |"
    if "requestBody" in operation:
        yield f"\nTakes {_type(operation['requestBody']['content']['application/json']['schema'])}."
    content = operation["responses"][str(row.status)]["content"]
    ((media, told),) = content.items()
    shape = _type(told["schema"]) if media == "application/json" else f"`{media}`"
    yield f"\nAnswers {row.status} with {shape}."


def _fields(schema: Schema) -> Iterator[str]:
    required = set(schema.get("required", ()))
    yield "| field | type | |"
    yield "|---|---|---|"
    for name, each in schema["properties"].items():
        given = f"default `{each['default']}`" if each.get("default") not in (None, "", [], {}) else ""
        yield f"| `{name}` | {_type(each)} | {'required' if name in required else given} |"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return WORDS.get(name) or f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _text(text: str) -> str:
    return " ".join(text.split())


# Words of the glossary, where the bare name says it all.
WORDS = {
    kind.__name__: ", ".join(f"`{word}`" for word in kind)
    for kind in (
        purposes.Asset, purposes.Fidelity, Grant, purposes.Lane, purposes.Layout, purposes.Purpose,
        purposes.ReferenceRole, purposes.Review, Size, purposes.TextAmount, purposes.Thinking, VerdictKind, Window,
    )
} | {"JsonValue": "any"}  # fmt: skip
