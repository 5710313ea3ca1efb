"""What the firmware of a board does before and around boot.py and main.py, in MicroPython's Unix port.

micropython -i rom.py <flash: a folder, or a file that holds LittleFS> <raw: 0 or 1>
"""

import os
import sys

import vfs

print("rom")  # from here on, Ctrl-C is heard
_flash, _raw = sys.argv[1:]
sys.argv.clear()


def _end():
    # With -i, SystemExit alone would end in a prompt.
    os.system("kill -9 $PPID")


class _Blocks:
    """A file as a flash chip with blocks of 4 KB."""

    def __init__(self, path):
        self.file = open(path, "r+b")  # noqa: SIM115
        self.count = self.file.seek(0, 2) // 4096

    def readblocks(self, number, buffer, offset=0):
        self.file.seek(number * 4096 + offset)
        self.file.readinto(buffer)

    def writeblocks(self, number, buffer, offset=0):
        self.file.seek(number * 4096 + offset)
        self.file.write(buffer)
        self.file.flush()

    def ioctl(self, operation, _argument):
        return {4: self.count, 5: 4096}.get(operation, 0)


def _disk():
    if os.stat(_flash)[0] & 0x4000:
        return vfs.VfsPosix(_flash)
    blocks = _Blocks(_flash)
    try:
        return vfs.VfsLfs2(blocks)
    except OSError:  # a chip that was never used
        vfs.VfsLfs2.mkfs(blocks)
        return vfs.VfsLfs2(blocks)


_root, _rom = _disk(), vfs.VfsPosix(__file__.rsplit("/", 1)[0])
vfs.umount("/")
vfs.mount(_root, "/")
vfs.mount(_rom, "/rom")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib", "/rom"]


def _run(name):
    # False when it failed.
    if name in os.listdir():
        try:
            with open(name) as file:
                code = compile(file.read(), name, "exec")
            exec(code, globals())
        except SystemExit:  # newer boards take it for a soft reset
            _end()
        except Exception as error:
            sys.print_exception(error)
            return False
        except KeyboardInterrupt as error:
            sys.print_exception(error)
            return False
    return True


if _run("boot.py") and _raw == "0":
    _run("main.py")
