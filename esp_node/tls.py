"""TLS of the link, always with the broker's certificate checked. Loaded when a connection is made, then forgotten."""

import binascii

_NO = "tls: this firmware cannot check certificates"


def wrap(sock, options, host):
    """`sock`, connected, as a TLS socket. options: {"ca": path of the CA certificate, PEM or DER, "server_hostname":
    the name in the broker's certificate, if it is not `host`}. OSError, with what is wrong, when the broker is not the
    one whose certificate the CA signed. The machine must know the time: a certificate has a first day."""
    try:
        try:
            import tls as ssl  # a module of the firmware; `ssl` is Python around it, which costs heap
        except ImportError:
            import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        load = context.load_verify_locations
    except (ImportError, AttributeError):
        raise OSError(_NO)
    try:
        load(_der(options["ca"]))
    except (OSError, ValueError):
        raise OSError("tls: %s: is no certificate" % options["ca"].rpartition("/")[2])
    try:
        return context.wrap_socket(sock, server_hostname=options.get("server_hostname", host))
    except ValueError as error:  # so it says that the certificate is not valid
        raise OSError("tls: " + str(error).strip())


def _der(path):
    with open(path, "rb") as file:
        data = file.read()
    begin = data.find(b"-----BEGIN CERTIFICATE-----")
    if begin >= 0:
        data = binascii.a2b_base64(data[begin + 27 : data.find(b"-----END", begin)])
    return data


def asked(folder, given):
    """What a Link is told of TLS, from a configuration whose `ca` is a file's path, in `folder` when it is relative."""
    tls = {"ca": given["ca"] if given["ca"][0] == "/" else folder + given["ca"]}
    if given["server_hostname"]:
        tls["server_hostname"] = given["server_hostname"]
    return tls
