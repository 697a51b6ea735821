"""A run as CASE/UCO 1.5 JSON-LD: the tool and its settings, the image, each found file, and what is said about it.

Checked with `case_validate --allow-info` of case-utils 0.18. "PDQ" is no member of UCO's vocabulary of hash methods,
which that tool mentions as an Info. Source: Cyber-investigation Analysis Standard Expression, caseontology.org.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from safelight.triage.model import Times
from safelight.triage.result import Finding, TriageResult
from safelight.triage.sampled import FirstAnswer
from safelight.triage.settings import TriageSettings
from safelight.triage.verdict import unread_words

_SPACE = uuid.UUID("6b1f2a52-6f0b-4d4e-9d0c-2f1a5f3f7c11")
_CONTEXT = {
    "kb": "http://example.org/kb/",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-analysis": "https://ontology.unifiedcyberontology.org/uco/analysis/",
    "uco-configuration": "https://ontology.unifiedcyberontology.org/uco/configuration/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_METHODS = (("md5", "MD5"), ("sha1", "SHA1"), ("sha256", "SHA256"), ("pdq", "PDQ"))


class _Graph:
    """Nodes whose names depend on the run and their role only: the same report gives the same graph."""

    def __init__(self, run: str) -> None:
        self._run = run
        self.nodes: list[dict[str, Any]] = []

    def id(self, name: str, key: object = "") -> str:
        """The name of a node, as CASE wants it: what it is and a UUID."""
        return f"kb:{name}-{uuid.uuid5(_SPACE, f'{self._run} {name} {key}')}"

    def inner(self, kind: str, name: str, key: object, **fields: Any) -> dict[str, Any]:
        """A node that stands inside another."""
        row = {"@id": self.id(name, key), "@type": kind, **fields}
        return {k: v for k, v in row.items() if v not in (None, "", [])}

    def add(self, kind: str, name: str, key: object = "", **fields: Any) -> dict[str, str]:
        """Add a node; a reference to it."""
        row = self.inner(kind, name, key, **fields)
        self.nodes.append(row)
        return {"@id": row["@id"]}


def render_case(result: TriageResult) -> str:
    """The JSON-LD text."""
    graph = _Graph(result.run_id)
    operator = graph.add("uco-identity:Identity", "operator", **{"uco-core:name": result.operator})
    tool = graph.add(
        "uco-tool:ConfiguredTool",
        "tool",
        **{
            "uco-core:name": result.tool,
            "uco-tool:version": result.tool_version,
            "uco-tool:creator": graph.add("uco-identity:Organization", "maker", **{"uco-core:name": "Safelight"}),
            "uco-configuration:usesConfiguration": graph.add(
                "uco-configuration:Configuration",
                "configuration",
                **{"uco-configuration:configurationEntry": list(_entries(graph, result))},
            ),
        },
    )
    image = graph.add("uco-observable:Image", "image", **_image(graph, result))
    found: list[dict[str, str]] = []
    files: dict[tuple[int, str], dict[str, str]] = {}
    for number, finding in enumerate(result.findings):
        place = finding.filesystem, finding.path
        if place not in files:
            files[place] = graph.add("uco-observable:File", "file", place, **_file(graph, finding, place))
            graph.add(
                "uco-observable:ObservableRelationship",
                "place",
                place,
                **{
                    "uco-core:source": files[place],
                    "uco-core:target": image,
                    "uco-core:kindOfRelationship": "Contained_Within",
                    "uco-core:isDirectional": True,
                },
            )
        found.append(_said(graph, finding, number, files[place]))
    record = graph.add(
        "case-investigation:ProvenanceRecord",
        "provenance",
        **{
            "uco-core:description": f"What triage run {result.run_id} read and found",
            "case-investigation:exhibitNumber": result.evidence.parts[0].name if result.evidence.parts else None,
            "uco-core:object": [image, *files.values()],
        },
    )
    missed = unread_words(result.unread)
    graph.add(
        "case-investigation:InvestigativeAction",
        "run",
        **{
            "uco-core:name": "triage",
            "uco-core:description": [result.verdict.sentence, *([missed] if missed else []), *result.limits],
            "uco-action:startTime": _time(result.started),
            "uco-action:endTime": _time(result.finished),
            "uco-action:performer": operator,
            "uco-action:instrument": tool,
            "uco-action:object": image,
            "uco-action:result": [record, *found],
        },
    )
    return json.dumps({"@context": _CONTEXT, "@graph": graph.nodes}, indent=1, ensure_ascii=False) + "\n"


def _entries(graph: _Graph, result: TriageResult) -> Iterator[dict[str, Any]]:
    pairs: list[tuple[str, object]] = []
    for name, field in TriageSettings.__dataclass_fields__.items():
        if not field.metadata.get("secret"):
            pairs.append((name, getattr(result.settings, name)))
    if isinstance(result.first, FirstAnswer):
        asked = result.first.settings
        pairs += [(f"first_answer.{n}", getattr(asked, n)) for n in asked.__dataclass_fields__]
        pairs.append(("first_answer.drawn", result.first.drawn))
    pairs += [(f"hash_set.{s.name}.root", s.root) for s in result.hash_sets]
    pairs += [(f"library.{name}", number) for name, number in result.libraries.items()]
    pairs += [
        ("state", result.state), ("findings_digest", result.findings_digest),
        ("bytes_not_read", result.bytes_not_read), ("unread_parts", len(result.unread)),
        ("problems", len(result.problems)),
    ]  # fmt: skip
    for name, value in pairs:
        yield graph.inner(
            "uco-configuration:ConfigurationEntry",
            "entry",
            name,
            **{"uco-configuration:itemName": name, "uco-configuration:itemValue": _plain(value) or "none"},
        )


def _plain(value: object) -> str:
    return _valid(json.dumps(value) if isinstance(value, bool) else str(value))


def _valid(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _image(graph: _Graph, result: TriageResult) -> dict[str, Any]:
    evidence = result.evidence
    hashes = [("SHA256", evidence.media_sha256), ("MD5", evidence.stored_md5), ("SHA1", evidence.stored_sha1)]
    first = evidence.parts[0] if evidence.parts else None
    facets = [
        graph.inner(
            "uco-observable:FileFacet",
            "image-file",
            "",
            **{
                "uco-observable:fileName": _valid(first.name) if first else None,
                "uco-observable:filePath": _valid(first.path) if first else None,
                "uco-observable:sizeInBytes": _number(sum(p.size for p in evidence.parts)),
                "uco-observable:isDirectory": evidence.format == "folder",
            },
        ),
        graph.inner(
            "uco-observable:ContentDataFacet",
            "image-content",
            "",
            **{
                "uco-observable:sizeInBytes": _number(evidence.media_size),
                "uco-observable:hash": [_hash(graph, m, v, "image") for m, v in hashes if v],
            },
        ),
    ]
    return {"uco-core:name": _valid(first.name) if first else "device", "uco-core:hasFacet": facets}


def _file(graph: _Graph, finding: Finding, key: object) -> dict[str, Any]:
    facets = [
        graph.inner(
            "uco-observable:FileFacet",
            "file-facet",
            key,
            **{
                "uco-observable:fileName": _valid(finding.name),
                "uco-observable:filePath": _valid(finding.path),
                "uco-observable:sizeInBytes": _number(finding.size),
                "uco-observable:isDirectory": False,
                "uco-observable:allocationStatus": "allocated" if finding.state == "live" else "unallocated",
                **_times(finding.times),
            },
        )
    ]
    hashes = [_hash(graph, method, value, key) for name, method in _METHODS if (value := getattr(finding, name))]
    if hashes:
        facets.append(
            graph.inner(
                "uco-observable:ContentDataFacet",
                "content",
                key,
                **{"uco-observable:sizeInBytes": _number(finding.size), "uco-observable:hash": hashes},
            )
        )
    return {"uco-core:hasFacet": facets}


def _times(times: Times) -> dict[str, Any]:
    pairs = (
        ("observableCreatedTime", times.created), ("modifiedTime", times.written), ("accessedTime", times.accessed),
        ("metadataChangeTime", times.changed),
    )  # fmt: skip
    return {f"uco-observable:{name}": _time(moment) for name, moment in pairs if moment is not None}


def _said(graph: _Graph, finding: Finding, number: int, file: dict[str, str]) -> dict[str, str]:
    """What the run says about a file: which list it matches, how, and in which category."""
    how = finding.kind if finding.kind != "perceptual" else f"perceptual, PDQ distance {finding.distance}"
    words = f"{how} match by {finding.algorithm} with hash set {finding.hash_set} ({finding.hash_set_root})"
    label = graph.inner(
        "uco-analysis:ArtifactClassification",
        "class",
        number,
        **{"uco-analysis:class": _valid(f"category {finding.category or 'none'}")},
    )
    facet = graph.inner(
        "uco-analysis:ArtifactClassificationResultFacet",
        "classification",
        number,
        **{"uco-analysis:classification": label},
    )
    result = graph.add(
        "uco-analysis:AnalyticResult",
        "result",
        number,
        **{
            "uco-core:description": [_valid(text) for text in (words, *finding.notes)],
            "uco-core:hasFacet": [facet],
        },
    )
    graph.add(
        "uco-core:Relationship",
        "about",
        number,
        **{
            "uco-core:source": result,
            "uco-core:target": file,
            "uco-core:kindOfRelationship": "Describes",
            "uco-core:isDirectional": True,
        },
    )
    return result


def _hash(graph: _Graph, method: str, value: str, key: object) -> dict[str, Any]:
    return graph.inner(
        "uco-types:Hash",
        "hash",
        (key, method),
        **{
            "uco-types:hashMethod": method,
            "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value},
        },
    )


def _number(value: int) -> dict[str, str]:
    return {"@type": "xsd:integer", "@value": str(value)}


def _time(moment: datetime) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": moment.astimezone(UTC).isoformat().replace("+00:00", "Z")}
