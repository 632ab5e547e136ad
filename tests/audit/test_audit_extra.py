"""What the record needs is loaded when it is needed, and told when it is missing."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_an_event_needs_no_database_and_no_keys() -> None:
    done = run(
        "import sys\n"
        "from unbarb.audit import Event\n"
        "from unbarb.cli import audit\n"
        "Event.failure('Late', surface='library', request='1')\n"
        "print(sorted({'sqlalchemy', 'alembic', 'cryptography', 'psycopg', 'numpy'} & set(sys.modules)))\n"
    )
    assert done.stdout == "[]\n", done.stderr


def test_a_missing_package_is_told_with_its_extra() -> None:
    for package in ("sqlalchemy", "cryptography", "alembic"):
        done = run(
            f"import sys\n"
            f"sys.modules['{package}'] = None\n"
            f"sys.argv = ['unbarb', 'audit', 'verify']\n"
            f"from unbarb.cli import main\n"
            f"main()\n"
        )
        assert done.returncode == 2
        assert done.stderr.startswith("unbarb: ")
        assert f"needs the package '{package}" in done.stderr
        assert "pip install 'unbarb[serve]'" in done.stderr
