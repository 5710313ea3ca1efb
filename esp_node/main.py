"""What a board starts; on the unix port: micropython -X heapsize=64k main.py <folder>/config.json"""

import sys

from esp_node.node import main

sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "config.json"))
