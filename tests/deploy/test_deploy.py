"""An administrator follows the page, the units or the compose file: all must say what the program does."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from django.core.management import get_commands, load_command_class
from typer.main import get_command

from safelight.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "deploy/safelight.env.example").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
UNITS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "deploy/systemd").iterdir())}
SERVICES = {name: text for name, text in UNITS.items() if name.endswith(".service")}
VARIABLE = re.compile(r"\bSAFELIGHT_[A-Z_]*[A-Z]\b")
# Said to a child process by its parent; to a command for one run; never in production.
BETWEEN_PROCESSES, OF_COMMANDS = {"SAFELIGHT_PARSER_SANDBOX"}, {"SAFELIGHT_KEY_PASSPHRASE"}
NEVER = {"SAFELIGHT_DEMO", "SAFELIGHT_DEBUG", "SAFELIGHT_TESTING"}


def read_by_the_program() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "src/safelight").rglob("*.py"):
        found |= set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    return found - BETWEEN_PROCESSES


def test_every_setting_stands_on_the_page_and_no_other() -> None:
    assert set(VARIABLE.findall(PAGE)) == read_by_the_program()


def test_every_setting_of_production_stands_in_the_example_and_no_other() -> None:
    assert set(VARIABLE.findall(EXAMPLE)) == read_by_the_program() - NEVER - OF_COMMANDS


def test_compose_sets_nothing_that_the_program_does_not_read() -> None:
    said = VARIABLE.findall((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    assert set(said) <= read_by_the_program() - NEVER


def commands_of_units() -> dict[str, list[str]]:
    found = {}
    for name, text in SERVICES.items():
        found[name] = [
            shlex.split(line.partition("=")[2]) for line in text.splitlines() if line.startswith("ExecStart=")
        ]
    return found


def commands_of_compose() -> dict[str, list[str]]:
    return {n: s["command"] for n, s in COMPOSE["services"].items() if "entrypoint" not in s and n != "database"}


def words(command: list[str]) -> list[str]:
    """The command without addresses and numbers: what process it is."""
    return [word for word in command if word.isalpha()]


def test_units_compose_and_page_run_the_same_processes() -> None:
    units = {
        tuple(words(command[1:])) for name, all_of_it in commands_of_units().items() for command in all_of_it
        if command[0].endswith("/safelight") and "check" not in name
    }  # fmt: skip
    compose = {tuple(words(command)) for command in commands_of_compose().values()}
    assert units == compose == {("serve",), ("worker",), ("tick",), ("exchange", "serve"), ("backup",)}
    for process in units:
        assert f"safelight {' '.join(process)}" in PAGE
    assert "manage migrate" in PAGE and "manage migrate" in UNITS["safelight-migrate.service"]
    assert "manage migrate" in COMPOSE["services"]["migrate"]["command"][0]


def test_every_process_is_a_command_with_these_options() -> None:
    """A unit whose option was renamed would fail at the next start of the machine."""
    root = get_command(app)
    every = [c[1:] for cs in commands_of_units().values() for c in cs if c[0].endswith("/safelight")]
    for command in [*every, *commands_of_compose().values()]:
        node = root
        rest = list(command)
        while rest and rest[0] in getattr(node, "commands", {}):
            node = node.commands[rest.pop(0)]
        known = {option for parameter in node.params for option in parameter.opts}
        assert node is not root
        assert {word for word in rest if word.startswith("--")} <= known, command


def test_every_figure_and_address_for_those_who_watch_stands_on_the_page() -> None:
    source = (ROOT / "src/safelight/web/metrics.py").read_text(encoding="utf-8")
    names = set(re.findall(r'"(safelight_[a-z_]+)"', source))
    names |= {f"safelight_{name}" for name in re.findall(r'gauge\(\s*"([a-z_]+)"', source)}
    names |= {f"safelight_{name}" for name in re.findall(r'\("([a-z_]+_seconds)", "', source)}
    assert len(names) > 15
    missing = {name for name in names if name not in PAGE}
    assert not missing
    from safelight.web.status import PROBES

    assert all(f"`{address}`" in PAGE for address in PROBES)


HARDENED = (
    "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
    "PrivateDevices=yes", "RestrictSUIDSGID=yes", "UMask=0077", "User=safelight", "StateDirectoryMode=0700",
    "ReadOnlyPaths=-/srv/evidence", "LockPersonality=yes",
)  # fmt: skip
#: What keeps bubblewrap from making name spaces, a host name or a /proc of its own (tried, see decision 0049).
IN_BUBBLEWRAPS_WAY = (
    "RestrictNamespaces", "ProtectProc", "ProcSubset", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectHostname",
    "PrivateUsers", "SystemCallFilter",
)  # fmt: skip
PARSES = ("safelight-worker@.service", "safelight-check.service")


@pytest.mark.parametrize("name", SERVICES)
def test_units_are_hardened_and_bubblewrap_still_works_where_it_is_needed(name: str) -> None:
    lines = SERVICES[name].splitlines()
    for line in HARDENED:
        assert line in lines, line
    settings = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    if name in PARSES:
        assert not settings & set(IN_BUBBLEWRAPS_WAY)
        assert any("AF_NETLINK" in line for line in lines if line.startswith("RestrictAddressFamilies="))
    else:
        assert set(IN_BUBBLEWRAPS_WAY) <= settings
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(SERVICES[name])
    assert set(parser.sections()) <= {"Unit", "Service", "Install"}


def test_systemd_itself_accepts_the_units(tmp_path: Path) -> None:
    """Where there is no systemd, the test above has looked at their text."""
    names = {name for name in UNITS if name != "safelight.target"}
    wanted = set(re.findall(r"safelight-[a-z@0-9]+\.service", UNITS["safelight.target"]))
    assert {re.sub("@1", "@", name) for name in wanted} <= names
    if not shutil.which("systemd-analyze"):
        return
    for name, text in UNITS.items():
        (tmp_path / name).write_text(re.sub(r"/opt/safelight/\.venv/bin/\w+", "/usr/bin/env", text), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    # What systemd thinks of what is left open, 0 (nothing) to 100: 13; where bubblewrap must work, 43 and 44.
    for name in SERVICES:
        most = "45" if name in PARSES else "15"
        left = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", str(tmp_path / name)],
            capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert left.returncode == 0, left.stdout[-300:]


def as_compose_takes_it(text: str) -> dict[str, Any]:
    """With the defaults of its variables, and what is merged with ``<<`` in place, as compose does before it reads."""
    return yaml.safe_load(re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text))  # type: ignore[no-any-return]


def test_compose_is_what_its_specification_allows() -> None:
    """A list in which a comma stood cut the size of /tmp from its mode: no container of ours would have started."""
    text = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
    made = as_compose_takes_it(text)
    read = PyCompose.from_yaml(yaml.safe_dump(made))
    read.validate()
    assert set(read.service_names()) == set(made["services"])
    assert read.to_dict()["services"]["web"]["tmpfs"] == ["/tmp:size=2g,mode=1777"]
    for service in made["services"].values():
        assert set(service.get("depends_on", {})) <= set(made["services"])
        for volume in service.get("volumes", []):
            here = volume.split(":")[0]
            named = not here.startswith((".", "/"))
            assert here in made["volumes"] if named else True, volume
    # Files beside it that are in the repository, or that the page tells the administrator to make.
    beside = {v.split(":")[0] for s in made["services"].values() for v in s.get("volumes", []) if v.startswith("./")}
    for path in beside | {made["secrets"]["postgres"]["file"], made["services"]["web"]["env_file"]}:
        name = path.removeprefix("./")
        said = PAGE + (ROOT / "deploy/README.md").read_text(encoding="utf-8") + text
        assert (ROOT / "deploy" / name).exists() or said.count(name) > 1, path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('tmpfs: ["/tmp:size=2g,mode=1777"]', "tmpfs: [/tmp:size=2g,mode=1777]"),
        ("restart: unless-stopped", "restart: sometimes"),
        ("condition: service_healthy", "condition: service_well"),
        ("interval: 10s", "interval: 10 blinks"),
        ("    - data:/var/lib/safelight", "    - date:/var/lib/safelight"),
        ("cap_drop: [ALL]", "cap_drp: [ALL]"),
    ],
)
def test_a_slip_in_the_compose_file_does_not_pass(old: str, new: str) -> None:
    """The test above would be one that nothing fails."""
    text = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ValueError):  # noqa: PT011 - whose words are another project's
        PyCompose.from_yaml(yaml.safe_dump(as_compose_takes_it(text.replace(old, new)))).validate()


def test_every_step_of_manage_is_a_step_of_manage() -> None:
    """Bringing the tables up to date would end in "unknown command", and with it every start of the machine."""
    known = get_commands()
    asked = re.findall(r"safelight\.web\.manage (\w+)((?: --\w+)*)", "".join(UNITS.values()) + str(COMPOSE))
    assert {name for name, _ in asked} == {"migrate", "collectstatic"}
    for name, options in asked:
        parser = load_command_class(known[name], name).create_parser("manage", name)
        assert set(options.split()) <= set(parser._option_string_actions), name


def test_containers_give_no_rights_away() -> None:
    for name in ("web", "worker", "tick", "exchange", "backup", "migrate"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert any(volume.endswith(":/srv/evidence:ro") for volume in service["volumes"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "fsync=on" in COMPOSE["services"]["database"]["command"]
    recipe = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in recipe and "\nUSER safelight\n" in recipe
    for copied in re.findall(r"^COPY (?!--from)(\S+)", recipe, re.MULTILINE):
        assert (ROOT / copied).exists(), copied
