"""What main.py calls in a slot. main.py is never updated, so what it must do before the node runs is here."""

from esp_node import late

late.warm(
    "esp_node.guard",
    "esp_node.errands",
    "esp_node.update",
    "esp_node.verify",
    "esp_node.control",
    "esp_node.settings",
    "esp_node.birth",
    "esp_node.start",
    "esp_node.config",
    "schema.pack",
)

from esp_node.node import main  # noqa: E402, F401 (after the warm-up)
