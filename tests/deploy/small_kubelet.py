"""Runs the containers of a pod as processes here: what a kubelet does with volumes, variables and probes.

Volumes become folders, with ConfigMaps and Secrets linked as a kubelet links them and with their modes;
places in commands become places below a temporary folder, and ports free ones. Everything else is run as it
is written.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2


class Pod:
    """A pod's containers, run below a folder.

    Args:
        spec: as it stands in a manifest.
        objects: the content of ConfigMaps and Secrets, by kind and name.
        swaps: texts that stand in commands and are others here, such as the address of a database.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        folder: Path,
        objects: Mapping[tuple[str, str], Mapping[str, str]],
        swaps: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._objects = objects
        self._swaps = dict(swaps)
        self._volumes = {volume["name"]: self._volume(volume) for volume in spec["volumes"]}
        (folder / "bin").mkdir()
        program = folder / "bin" / "unbarb"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m unbarb "$@"\n')
        program.chmod(0o755)

    def run(self, container: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run an init container to its end."""
        command, environment, home = self._prepared(container, 0)
        return subprocess.run(
            command, env=environment, cwd=home, capture_output=True, text=True, timeout=120, check=False
        )

    def start(self, container: Mapping[str, Any], more: Sequence[str] = ()) -> Running:
        """Start a container, with `more` arguments; its one port is a free one here."""
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        command, environment, home = self._prepared(container, port)
        log = self._folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, *more], env=environment, cwd=home, stdout=output, stderr=output
            )
        return Running(process, container, f"http://127.0.0.1:{port}", log)

    def _prepared(self, container: Mapping[str, Any], port: int) -> tuple[list[str], dict[str, str], Path]:
        mounts = {one["mountPath"]: self._volumes[one["name"]] for one in container["volumeMounts"]}
        words = [*container["command"], *container.get("args", ())]
        places = "|".join(map(re.escape, sorted(mounts, key=len, reverse=True)))
        words = [
            re.sub(rf"(?:{places})(?=[/ ']|$)", lambda one: str(mounts[one[0]]), word) for word in words
        ]
        for one in container.get("ports", ()):
            words = [word.replace(f"--port={one['containerPort']}", f"--port={port}") for word in words]
        for before, after in self._swaps.items():
            words = [word.replace(before, after) for word in words]
        path = f"{self._folder / 'bin'}:{os.environ['PATH']}"
        environment = {"PATH": path, "OMP_NUM_THREADS": "1"} | {
            one["name"]: self._value(one) for one in container["env"]
        }
        environment["HOME"] = str(mounts[environment["HOME"]])
        return words, environment, mounts.get("/var/lib/unbarb", self._folder)

    def _value(self, variable: Mapping[str, Any]) -> str:
        if "value" in variable:
            return str(variable["value"])
        source = variable["valueFrom"]["secretKeyRef"]
        return self._objects["Secret", source["name"]][source["key"]]

    def _volume(self, volume: Mapping[str, Any]) -> Path:
        place = self._folder / "volumes" / volume["name"]
        place.mkdir(parents=True)
        if "emptyDir" in volume:
            return place
        source = volume.get("configMap") or volume["secret"]
        key = ("ConfigMap", source["name"]) if "configMap" in volume else ("Secret", source["secretName"])
        real = place / "..2026_11_21"
        real.mkdir()
        (place / "..data").symlink_to(real.name)
        for name, text in self._objects[key].items():
            (real / name).write_text(text)
            (real / name).chmod(source.get("defaultMode", 0o644))
            (place / name).symlink_to(f"..data/{name}")
        return place


class Running:
    """A container that runs."""

    def __init__(
        self, process: subprocess.Popen[bytes], container: Mapping[str, Any], address: str, log: Path
    ) -> None:
        self._process = process
        self._container = container
        self._log = log
        self.address = address

    def probe(self, name: str) -> int:
        """The status that a probe gets; 0 while there is no connection."""
        path = self._container[name]["httpGet"]["path"]
        try:
            return httpx2.get(f"{self.address}{path}").status_code
        except httpx2.TransportError:
            return 0

    def wait(self) -> None:
        """Until the startup probe is content."""
        until = time.monotonic() + 60
        while self.probe("startupProbe") != 200:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, "the container did not start"
            time.sleep(0.05)

    def stop(self) -> int:
        """Ask it to end, as a kubelet does; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)
