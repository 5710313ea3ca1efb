"""Python text with short names, for build.py: every name that occurs in a board's code stays in its heap for ever.

Renamed are the private names and the parameters, in each file to the same few: to names of methods of str, list and
dict, which every firmware holds in its ROM. A parameter with a default keeps its name (a caller may say it), and
so does one that shares it with something that other files can see. CPython only.
"""

import ast
import re
from collections.abc import Collection, Iterator

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_FIELDS: dict[type[ast.AST], str] = {
    ast.Name: "id",
    ast.arg: "arg",
    ast.Attribute: "attr",
    ast.FunctionDef: "name",
    ast.ClassDef: "name",
    ast.alias: "asname",
    ast.ExceptHandler: "name",
}


IN_ROM = (
    "append clear copy count encode endswith extend find format fromkeys get index insert isalpha isdigit islower "
    "isspace isupper items join keys lower lstrip pop popitem remove replace reverse rfind rindex rsplit rstrip "
    "setdefault sort split startswith strip update upper values read readinto readline write flush seek tell close "
    "add discard difference intersection union issubset issuperset symmetric_difference all any bin callable chr "
    "complex divmod enumerate eval exec filter frozenset globals hash hex id iter locals map oct ord pow property "
    "repr reversed slice staticmethod super zip collect enable disable mem_alloc threshold listdir mkdir rmdir "
    "rename stat uname urandom dump dumps load loads calcsize pack unpack sleep sleep_ms sleep_us ticks_add "
    "ticks_cpu localtime mktime bind accept listen makefile recv recvfrom send sendto setblocking poll modify "
    "ilistdir chdir getcwd umount mount argv byteorder maxsize version version_info platform implementation "
    "hexlify unhexlify a2b_base64 b2a_base64 digest sha256 real imag start stop step args errno array heapq hashlib "
    "cmath uctypes collections io math micropython urandom namedtuple OrderedDict StringIO BytesIO getvalue heappush "
    "heappop heapify ceil floor sqrt sin cos tan exp log10 isnan isinf fabs degrees radians opt_level "
    "ArithmeticError AssertionError EOFError GeneratorExit ImportError IndexError KeyError LookupError NameError "
    "NotImplementedError OverflowError RuntimeError StopIteration SyntaxError TypeError ZeroDivisionError "
    "acos asin atan atan2 trunc modf frexp ldexp copysign isfinite fmod addressof sizeof bytes_at bytearray_at ARRAY "
    "PTR VOID NATIVE LITTLE_ENDIAN BIG_ENDIAN UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 FLOAT32 FLOAT64 BFUINT8 "
    "BFINT8 BFUINT16 BFINT16 BFUINT32 BFINT32 BF_POS BF_LEN SHORT USHORT INT UINT LONG ULONG LONGLONG ULONGLONG "
    "framebuf FrameBuffer pixel hline vline rect fill_rect ellipse poly blit scroll MVLSB MONO_VLSB RGB565 GS2_HMSB "
    "GS4_HMSB GS8 MONO_HLSB MONO_HMSB randint randrange choice uniform POLLERR POLLHUP errorcode EPERM EIO EBADF "
    "EAGAIN ENOMEM EACCES EEXIST ENODEV EISDIR EINVAL EOPNOTSUPP EADDRINUSE ECONNABORTED ECONNRESET ENOBUFS ENOTCONN "
    "ECONNREFUSED EHOSTUNREACH EALREADY EINPROGRESS deflate DeflateIO AUTO RAW ZLIB GZIP cryptolib aes encrypt decrypt "
    "match search partition rpartition center splitlines isdisjoint difference_update intersection_update "
    "symmetric_difference_update classmethod execfile schedule heap_unlock kbd_intr mem_info qstr_info websocket ioctl "
    "IndentationError UnicodeError getter setter deleter issubclass delattr sha1 md5 mem8 mem16 mem32 idle "
    "AF_INET AF_INET6 SOCK_STREAM SOCK_DGRAM SOCK_RAW SOL_SOCKET SO_REUSEADDR SO_BROADCAST IP_ADD_MEMBERSHIP VfsFat VfsLfs2 "
    "Event Lock Loop Server Stream StreamReader StreamWriter Task TaskQueue ThreadSafeFlag TimeoutError acquire release "
    "wait_for gather create_task get_event_loop run_until_complete new_event_loop call_exception_handler "
    "open_connection start_server wait_closed get_extra_info readexactly drain awrite awritestr aclose cur_task "
    "current_task default_exception_handler get_exception_handler set_exception_handler is_set locked push peek core "
    "event stream queue_read queue_write wait_for_ms wait_io_event IOQueue SingletonGenerator "
    "StopAsyncIteration CancelledError appendleft popleft deque from_bytes to_bytes fromhex fileno readlines "
    "cosh sinh tanh acosh asinh atanh log2 log expm1 erf erfc gamma lgamma factorial "
    "ENOENT ETIMEDOUT Ellipsis IOBase NotImplemented POLLOUT Signal SystemExit builtins compile const dir executable "
    "exit heap_lock help inf input isclose isenabled nan phase pi polar ps1 ps2 seed sendall soft_reset stack_use "
    "stderr stdout stream_awrite sub sep tau ticks PROTOCOL_TLS_SERVER CERT_NONE CERT_OPTIONAL mkfs SO_KEEPALIVE "
    "MSG_PEEK MSG_DONTWAIT IP_DROP_MEMBERSHIP start_new_thread stack_size allocate_lock LockType get_ident FrameBuffer1 "
    "load_cert_chain mem_total mem_current mem_peak RingIO ViperTypeError"
).split()


def shortened(text: str, taken: Collection[str] = ()) -> str:
    """`text` with short private names and parameters, and private numbers made constants; `taken` are names in ROM that
    mean something already."""
    # Nine digits: a number beyond 31 bits is no constant to mpy-cross, and would call a name that nobody defines.
    tree = ast.parse(re.sub(r"^(_[A-Z_]+) = (\d{1,9})(?=\s*(#|$))", r"\1 = const(\2)", text, flags=re.MULTILINE))
    nodes = list(ast.walk(tree))
    private = {name for node in nodes if (name := _name(node)) and re.fullmatch(r"_[A-Za-z]\w*", name)}
    local = set(_parameters(nodes)) - set(_kept(tree, nodes)) - private - {"self"}
    constants = set(_constants(tree))
    used = {name for node in nodes for name in (_name(node), getattr(node, "attr", None)) if name}
    free = iter([name for name in IN_ROM if name not in used and name not in taken] + [f"_{number}" for number in range(100)])
    short = {name: next(free) for name in sorted((local | private) - constants)}
    # Only behind an underscore does a constant vanish from the bytecode.
    short |= {name: f"_c{number}" for number, name in enumerate(sorted(constants))}
    for node in nodes:
        name = _name(node)
        if name in private or (name in local and isinstance(node, ast.Name | ast.arg | ast.ExceptHandler)):
            setattr(node, _FIELDS[type(node)], short[name])
        if isinstance(node, ast.Global):
            node.names = [short.get(name, name) for name in node.names]
    return ast.unparse(tree)


def _name(node: ast.AST) -> str | None:
    return getattr(node, _FIELDS[type(node)]) if type(node) in _FIELDS else None


def _constants(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"))):
                yield name
            case _:
                pass


def _parameters(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            plain = len(node.args.args) - len(node.args.defaults)
            yield from (argument.arg for argument in node.args.args[:plain])


def _kept(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            plain = len(node.args.args) - len(node.args.defaults)
            yield from (argument.arg for argument in node.args.args[plain:])
        if isinstance(node, _DEFINITIONS):
            yield node.name
        if isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
    for statement in tree.body:
        if not isinstance(statement, _DEFINITIONS):
            yield from (node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
