"""Bitstreams on disk."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from farmhand_client.evaluation import FilePath

PACK_S = 60


def bitstream(path: FilePath) -> bytes:
    """Its bytes; an .asc is packed by icepack. OSError, or ValueError with the reason."""
    file = Path(os.fspath(path)).absolute()  # icepack would take a name like -x.asc for an option
    if file.suffix != ".asc":
        return file.read_bytes()
    icepack = shutil.which("icepack")
    if icepack is None:
        raise ValueError(f"{file}: to pack it, icepack is needed (Debian: fpga-icestorm); or give the .bin")
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "packed.bin"
        try:
            done = subprocess.run(
                [icepack, str(file), str(packed)], capture_output=True, text=True, check=False, timeout=PACK_S
            )
        except subprocess.TimeoutExpired:
            raise ValueError(f"{file}: icepack took more than {PACK_S} s") from None
        if done.returncode:
            raise ValueError(f"{file}: icepack: {done.stderr.strip()[:300]}")
        return packed.read_bytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
