"""main.py of a board: starts the node, unless the button is held (boot.py). On the unix port:
micropython -X heapsize=64k main.py <folder>/config.json

This file and slots.mpy beside it are outside the slots and never updated: slots.py picks the slot whose software is to
run, run.py in there runs it, and slots.py judges how it ended. Small, because it is compiled on the board and stays.
"""

import gc
import sys

if not globals().get("stay"):
    path = sys.path[0]
    config = sys.argv[1] if len(sys.argv) > 1 else "config.json"
    try:
        import slots

        config = slots.begin(config)
        sys.modules["slots"] = slots = None  # the heap is the node's now
        del sys.modules["slots"]
        gc.collect()
    except Exception as e:
        print("main: slots:", e)
        sys.path.insert(0, "lib")
    main = error = None
    code = 1
    try:
        from esp_node.run import main

        code = main(config)
    except BaseException as e:
        error = e
    sys.path.insert(0, path or "/")
    main = main is not None
    sys.modules.clear()  # and with them the node, should the heap be full of it
    gc.collect()
    try:
        import slots

        slots.end(config, not path, code, error, main)
    except MemoryError:
        if path:
            raise
        import machine

        machine.reset()
