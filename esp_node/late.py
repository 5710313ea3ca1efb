"""Modules of this package that are needed rarely: loaded for one call and then taken out of the heap again."""

import gc
import os
import sys


def call(module, function, *arguments):
    """esp_node.<module>.function(*arguments); the module and all that it loaded are forgotten afterwards. Objects made
    meanwhile live on.
    """
    gc.collect()
    known = list(sys.modules)
    try:
        module = loaded(module)
        return getattr(module, function)(*arguments)
    finally:
        module = None
        _forget(known)
        gc.collect()


def chain(*step):
    """call(*step), and then the call that it returns as a tuple, and so on: of a long way only one part is in the
    heap.
    """
    while step:
        step = call(*step)


def loaded(module):
    """The module esp_node.<module>. The build (parts.py) makes a number of most names, because the name of a file
    stays in the heap for ever, and puts what is behind it into the file of this module.
    """
    if isinstance(module, int):
        if module not in sys.modules:
            _mount(module)
            __import__("part")
    else:
        module = "esp_node." + module
        __import__(module)
    return sys.modules[module]


def _mount(number):
    """A file system of one file, the part that is to be imported: bytecode can be had in no other way."""

    class Part:  # made anew each time, because it is needed for a moment only
        def mount(self, *_):
            pass

        umount = mount

        def stat(self, path):
            if not path.endswith(".mpy"):
                raise OSError(2)
            return (0,) * 10

        def open(self, path, mode):
            _unmount()
            # Known by its number before it runs, so that it can load others under the same name.
            sys.modules[number] = sys.modules.pop("part")
            # An ESP8266 knows no __file__.
            file = open(sys.modules["esp_node"].__path__ + "/run.mpy", mode)
            file.seek(-4 * number - 4, 2)
            file.seek(int.from_bytes(file.read(4), "little"))
            return file

    os.mount(Part(), "/late")
    sys.path.insert(0, "/late")


def _unmount():
    os.umount("/late")
    sys.path.pop(0)


def _forget(known):
    # Runs when the heap is full, too: nothing here allocates more than a few bytes.
    if sys.path[0] == "/late":
        _unmount()  # the heap was full in the middle of an import
    while True:
        for name in sys.modules:
            if name not in known:
                break
        else:
            return
        sys.modules[name] = None  # the slot of a removed name would still refer to its value
        del sys.modules[name]
        package, _, attribute = str(name).rpartition(".")
        if package in sys.modules and hasattr(sys.modules[package], attribute):
            setattr(sys.modules[package], attribute, None)
            delattr(sys.modules[package], attribute)
