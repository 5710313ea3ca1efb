"""Names that a firmware holds in its ROM, of builtins, of modules in C and of asyncio: there they cost no heap. One
that a board lacks works as well, for some bytes. For shorten.py and rename.py. CPython only."""

# Of special methods: these can only stand for parameters, local variables, and some for functions outside of classes.
# Not __module__, __name__ and their like, which a class or a module has without being asked.
SPECIAL = (
    "__init__ __new__ __del__ __call__ __len__ __bool__ __str__ __repr__ __hash__ __iter__ __next__ __enter__ "
    "__exit__ __getitem__ __setitem__ __delitem__ __getattr__ __contains__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ "
    "__add__ __sub__ __iadd__ __isub__ __main__ __repl_print__"
).split()
FOR_FUNCTIONS = SPECIAL[SPECIAL.index("__len__") : SPECIAL.index("__getattr__")]  # of a module
# Not const and super: the compiler knows these words.
IN_ROM = (
    "append clear copy count encode endswith extend find format fromkeys get index insert isalpha isdigit islower "
    "isspace isupper items join keys lower lstrip pop popitem remove replace reverse rfind rindex rsplit rstrip "
    "setdefault sort split startswith strip update upper values read readinto readline write flush seek tell close "
    "add discard difference intersection union issubset issuperset symmetric_difference all any bin callable chr "
    "complex divmod enumerate eval exec filter frozenset globals hash hex id iter locals map oct ord pow property "
    "repr reversed slice staticmethod zip collect enable disable mem_alloc threshold listdir mkdir rmdir "
    "rename stat uname urandom dump dumps load loads calcsize pack unpack sleep sleep_ms sleep_us ticks_add "
    "ticks_cpu localtime mktime bind accept listen makefile recv recvfrom send sendto setblocking poll modify "
    "ilistdir chdir getcwd umount mount argv byteorder maxsize version version_info platform implementation hexlify "
    "unhexlify a2b_base64 b2a_base64 digest sha256 real imag start stop step args errno array heapq hashlib cmath "
    "uctypes collections io math micropython namedtuple OrderedDict StringIO BytesIO getvalue heappush heappop "
    "heapify ceil floor sqrt sin cos tan exp log10 isnan isinf fabs degrees radians opt_level ArithmeticError "
    "AssertionError EOFError GeneratorExit ImportError IndexError KeyError LookupError NameError "
    "NotImplementedError OverflowError RuntimeError StopIteration SyntaxError TypeError ZeroDivisionError acos asin "
    "atan atan2 trunc modf frexp ldexp copysign isfinite fmod addressof sizeof bytes_at bytearray_at ARRAY PTR VOID "
    "NATIVE LITTLE_ENDIAN BIG_ENDIAN UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 FLOAT32 FLOAT64 BFUINT8 "
    "BFINT8 BFUINT16 BFINT16 BFUINT32 BFINT32 BF_POS BF_LEN SHORT USHORT INT UINT LONG ULONG LONGLONG ULONGLONG "
    "framebuf FrameBuffer pixel hline vline rect fill_rect ellipse poly blit scroll MVLSB MONO_VLSB RGB565 GS2_HMSB "
    "GS4_HMSB GS8 MONO_HLSB MONO_HMSB randint randrange choice uniform POLLERR POLLHUP errorcode EPERM EIO EBADF "
    "EAGAIN ENOMEM EACCES EEXIST ENODEV EISDIR EINVAL EOPNOTSUPP EADDRINUSE ECONNABORTED ECONNRESET ENOBUFS "
    "ENOTCONN ECONNREFUSED EHOSTUNREACH EALREADY EINPROGRESS deflate DeflateIO AUTO RAW ZLIB GZIP cryptolib aes "
    "encrypt decrypt match search partition rpartition center splitlines isdisjoint difference_update "
    "intersection_update symmetric_difference_update classmethod execfile schedule heap_unlock kbd_intr mem_info "
    "qstr_info websocket ioctl IndentationError UnicodeError getter setter deleter issubclass delattr sha1 md5 mem8 "
    "mem16 mem32 idle AF_INET AF_INET6 SOCK_STREAM SOCK_DGRAM SOCK_RAW SOL_SOCKET SO_REUSEADDR SO_BROADCAST "
    "IP_ADD_MEMBERSHIP VfsFat VfsLfs2 Event Lock Loop Server Stream StreamReader StreamWriter Task TaskQueue "
    "ThreadSafeFlag TimeoutError acquire release wait_for gather create_task get_event_loop run_until_complete "
    "new_event_loop call_exception_handler open_connection start_server wait_closed get_extra_info readexactly "
    "drain awrite awritestr aclose cur_task current_task default_exception_handler get_exception_handler "
    "set_exception_handler is_set locked push peek core event stream queue_read queue_write wait_for_ms "
    "wait_io_event IOQueue SingletonGenerator StopAsyncIteration CancelledError appendleft popleft deque from_bytes "
    "to_bytes fromhex fileno readlines cosh sinh tanh acosh asinh atanh log2 log expm1 erf erfc gamma lgamma "
    "factorial ENOENT ETIMEDOUT Ellipsis IOBase NotImplemented POLLOUT Signal SystemExit builtins compile dir "
    "executable exit heap_lock help inf input isclose isenabled nan phase pi polar ps1 ps2 seed sendall soft_reset "
    "stack_use stderr stdout stream_awrite sub sep tau ticks PROTOCOL_TLS_SERVER CERT_NONE CERT_OPTIONAL mkfs "
    "SO_KEEPALIVE MSG_PEEK MSG_DONTWAIT IP_DROP_MEMBERSHIP start_new_thread stack_size allocate_lock LockType "
    "get_ident FrameBuffer1 load_cert_chain mem_total mem_current mem_peak RingIO ViperTypeError"
).split()
