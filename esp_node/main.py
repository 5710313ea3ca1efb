"""What a board starts; on the unix port: micropython -X heapsize=64k main.py
<folder>/config.json"""

import sys

from esp_node import late

late.warm(
    "esp_node.verify",
    "esp_node.control",
    "esp_node.settings",
    "esp_node.birth",
    "esp_node.start",
    "esp_node.config",
    "schema.pack",
)

from esp_node.node import main  # noqa: E402 (after the warm-up)

sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "config.json"))
