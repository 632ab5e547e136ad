"""Size of the core install with its dependencies, and of the wheel; adds both to the speed run's file."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def megabytes(folder: Path) -> float:
    """Size of all files under `folder`, compiled Python files left out, in MB of 10^6 bytes."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/speed.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        pip = [sys.executable, "-m", "pip", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(home), "."], check=True)
        (wheel,) = home.glob("unbarb-*.whl")
        venv.create(home / "venv", with_pip=False)
        site = next((home / "venv").glob("lib/python*/site-packages"))
        subprocess.run([*pip, "install", "--target", str(site), str(wheel)], check=True)
        sizes = {"core_megabytes": megabytes(site), "wheel_megabytes": wheel.stat().st_size / 1e6}
    content = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
    given.out.write_text(json.dumps({**content, "install": sizes}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(sizes, indent=2))


if __name__ == "__main__":
    main()
