"""Runs a command that may open sockets of these families only, as RestrictAddressFamilies= of systemd does.

seccomp.py FAMILIES COMMAND...: FAMILIES are numbers with commas, as in 1,2,10.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

SYS_SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38

families = [int(family) for family in sys.argv[1].split(",")]
program = [(LOAD, 0, 0, 0), (EQUALS, 0, len(families) + 2, SYS_SOCKET), (LOAD, 0, 0, 16)]
for index, family in enumerate(families):
    program.append((EQUALS, len(families) - index, 0, family))
program += [(RETURN, 0, 0, ERRNO | errno.EAFNOSUPPORT), (RETURN, 0, 0, ALLOW)]

code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
buffer = ctypes.create_string_buffer(code)
filter_of = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, 2, filter_of, 0, 0)):
    if libc.prctl(*arguments) != 0:
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[2], sys.argv[2:])
