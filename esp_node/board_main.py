"""main.py of a board: starts the node, unless somebody held the button (boot.py). What the node's exit codes say is in
node.py; SystemExit must not leave this file: some boards would start all over at once, and never let anybody in."""

if not globals().get("stay"):
    code = 4
    try:
        import esp_node.main  # noqa: F401 (it runs until the node ends)
    except SystemExit as end:
        code = end.args[0] if end.args else 0
    except Exception as error:
        __import__("sys").print_exception(error)
    if code in (4, 5):  # it broke, or the heap is full; a `restart` command came
        print("the node starts again in 5 s; Ctrl-C prevents it")
        __import__("time").sleep(5)
        __import__("machine").reset()
    print("the node has ended (%s); Ctrl-D starts it again" % code)
