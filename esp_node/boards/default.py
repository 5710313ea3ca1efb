"""The firmware by which a board is tested."""

import time


def run():
    while True:
        print("default firmware")
        time.sleep(1)


if __name__ == "__main__":
    run()
