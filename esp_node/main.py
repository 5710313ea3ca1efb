"""What starts a node; on the unix port: micropython -X heapsize=64k main.py <folder>/config.json"""

import os
import sys

config = sys.argv[1] if len(sys.argv) > 1 else "config.json"
if sys.path[0]:  # no board: the name of each file stays in the heap, so it shall not begin with a long path
    if config[0] != "/":
        config = os.getcwd() + "/" + config
    os.chdir(sys.path[0])
    sys.path[0] = ""

from esp_node.node import main  # noqa: E402 (after the path)

sys.exit(main(config))
