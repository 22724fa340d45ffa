"""Debian's nginx in front of a running server, with exactly the configuration that `docs/nginx/` gives.

`python -m tests.nginx` makes sure that there is an nginx; `make test` calls it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.journey.server import Server, free_port

EXAMPLE = Path(__file__).parents[1] / "docs" / "nginx" / "praat-erover.conf"
CHILD, TEAM = "praat.voorbeeldstad.nl", "team.voorbeeldstad.nl"


def find() -> str | None:
    """The path of an nginx, or None."""
    return os.environ.get("PRAAT_NGINX") or shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Front:
    """A running nginx: where it listens with TLS, and the folder with everything that it writes."""

    port: int
    folder: Path

    def client(self, host: str) -> httpx.Client:
        """A browser's side of one of the two addresses. The certificate is this test's own."""
        headers = {"Host": host}
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=False, headers=headers, timeout=20)  # noqa: S501


@contextmanager
def in_front_of(server: Server, folder: Path, *, buffering: bool) -> Iterator[Front]:
    """Start nginx before this server, and wait until it listens."""
    program = find()
    assert program, "No nginx found: run `python -m tests.nginx`, or set PRAAT_NGINX to its path."
    tls, plain = free_port(), free_port()
    certify(folder)
    config = folder / "nginx.conf"
    config.write_text(around(filled_in(folder, server, tls, plain), folder, buffering=buffering))
    process = subprocess.Popen([program, "-c", str(config), "-p", str(folder), "-e", str(folder / "start.log")])
    try:
        front = Front(tls, folder)
        wait(process, front)
        yield front
    finally:
        process.terminate()
        process.wait()


def filled_in(folder: Path, server: Server, tls: int, plain: int) -> str:
    """The example with what an admin changes: addresses, ports, certificates."""
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;", "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:443 ssl;": "", "listen [::]:80;": "",
        "http://127.0.0.1:8080": server.child_url, "http://127.0.0.1:8081": server.console_url,
        "/etc/ssl/praat/praat": str(folder / "praat"), "/var/log/nginx": str(folder),
    }  # fmt: skip
    text = EXAMPLE.read_text()
    for written, meant in changes.items():
        assert written in text, written
        text = text.replace(written, meant)
    return text


def around(site: str, folder: Path, *, buffering: bool) -> str:
    """What Debian's own nginx.conf has around a file in conf.d, with every temporary file in this folder."""
    kept = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    return (
        f"daemon off; {user} pid {folder}/nginx.pid; worker_processes 1;\nevents {{ worker_connections 512; }}\n"
        f"http {{\n{kept}\nproxy_buffering {'on' if buffering else 'off'};\n{site}\n}}\n"
    )


def certify(folder: Path) -> None:
    """Make a certificate for both addresses, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CHILD)])
    names = x509.SubjectAlternativeName([x509.DNSName(CHILD), x509.DNSName(TEAM)])
    begun = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begun).not_valid_after(begun + timedelta(days=9))
        .add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "praat.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "praat.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def wait(process: subprocess.Popen[bytes], front: Front) -> None:
    """Wait until it answers. Raises `AssertionError` with what it wrote when it ended instead."""
    for _ in range(200):
        assert process.poll() is None, (front.folder / "start.log").read_text()
        try:
            with front.client(CHILD) as client:
                client.get("/")
        except httpx.TransportError:
            time.sleep(0.05)  # waiting for another process, not for our own code
        else:
            return
    raise AssertionError("nginx did not answer")


def main() -> int:
    """Make sure that there is an nginx; exit code 1 with a sentence when there is none to be had."""
    if find() is None and shutil.which("apt-get"):
        print("No nginx found; fetching one.", flush=True)  # noqa: T201
        rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*rights, "apt-get", "update", "-qq"], check=False)
        subprocess.run(
            [*rights, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "nginx-light"], check=False, env=quiet
        )
    if find() is None:
        print("No nginx could be had. Install it, or set PRAAT_NGINX to its path.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
