"""The system calls that a parser needs: reading, memory, threads, time. Everything else is refused with EPERM."""

from __future__ import annotations

ALLOWED = (
    # files: only what landlock and bubblewrap leave reachable, and never a change
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "close", "close_range", "lseek",
    "open", "openat", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "chdir", "fcntl", "dup", "dup2", "dup3", "pipe",
    "pipe2", "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "eventfd2", "fadvise64", "readahead", "statfs", "fstatfs", "umask", "sendfile", "copy_file_range", "flock",
    # memory
    "brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "membarrier", "mbind",
    "get_mempolicy", "set_mempolicy",
    # threads of this process
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getpriority", "setpriority", "exit", "exit_group", "restart_syscall", "arch_prctl",
    # signals to itself
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend", "rt_sigtimedwait",
    "sigaltstack", "alarm", "setitimer", "getitimer",
    # what and when am I
    "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
    "getpgrp", "getpgid", "getsid", "uname", "sysinfo", "getrandom", "getcpu", "times", "time", "gettimeofday",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "getrusage", "getrlimit", "setrlimit",
)  # fmt: skip
#: The C library asks for these first and has another way when they do not exist.
UNKNOWN = ("clone3", "openat2", "io_uring_setup", "pidfd_open")
#: (call, position of the argument, allowed values)
ONLY = (
    ("ioctl", 1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO(N)CLEX
    ("prctl", 0, (15, 16, 0x53564D41)),  # the names of threads and of memory
)
CLONE_THREAD = 0x00010000
