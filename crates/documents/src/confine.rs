//! Giving up rights by a filter of system calls (seccomp), which is inherited and can never be taken off.

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
use std::io;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use self::linux::{go_offline, to_memory_and_open_files};

/// Not here: see [`confine`](crate::worker::confine).
#[cfg(not(target_os = "linux"))]
pub(crate) fn to_memory_and_open_files() -> io::Result<()> {
    Ok(())
}

/// Not here: see [`Ocr`](crate::Ocr).
#[cfg(not(target_os = "linux"))]
pub(crate) fn go_offline() -> io::Result<()> {
    Ok(())
}

/// A Linux whose system calls are not listed here: nothing is read unconfined.
#[cfg(all(target_os = "linux", not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) fn to_memory_and_open_files() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A Linux whose system calls are not listed here: nothing is read unconfined.
#[cfg(all(target_os = "linux", not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) fn go_offline() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    use std::collections::BTreeMap;
    use std::io;

    use nix::libc;
    use seccompiler::{
        BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        TargetArch,
    };

    /// What a program in one thread needs that computes, allocates, reads and writes what is open, and ends.
    const COMPUTING: &[libc::c_long] = &[
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_lseek,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Ways to the network, around this filter, and into other processes.
    const LEADING_OUT: &[libc::c_long] = &[
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_io_uring_setup,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_userfaultfd,
        libc::SYS_perf_event_open,
    ];

    pub(crate) fn to_memory_and_open_files() -> io::Result<()> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = COMPUTING.iter().map(|call| (*call, Vec::new())).collect();
        let data_only = SeccompCmpOp::MaskedEq(libc::PROT_EXEC.unsigned_abs().into());
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            rules.insert(call, vec![only_if(2, data_only.clone(), 0)?]);
        }
        // `abort` signals its own thread. Nobody else is to be signalled.
        rules.insert(libc::SYS_tgkill, vec![only_if(0, SeccompCmpOp::Eq, std::process::id().into())?]);
        apply(rules, SeccompAction::Errno(errno(libc::EPERM)), SeccompAction::Allow)
    }

    pub(crate) fn go_offline() -> io::Result<()> {
        let rules = LEADING_OUT.iter().map(|call| (*call, Vec::new())).collect();
        apply(rules, SeccompAction::Allow, SeccompAction::Errno(errno(libc::EPERM)))
    }

    fn only_if(argument: u8, comparison: SeccompCmpOp, value: u64) -> io::Result<SeccompRule> {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(io::Error::other)
    }

    fn apply(
        rules: BTreeMap<i64, Vec<SeccompRule>>,
        otherwise: SeccompAction,
        on_match: SeccompAction,
    ) -> io::Result<()> {
        let architecture = if cfg!(target_arch = "x86_64") { TargetArch::x86_64 } else { TargetArch::aarch64 };
        let program: BpfProgram = SeccompFilter::new(rules, otherwise, on_match, architecture)
            .and_then(TryInto::try_into)
            .map_err(|error| io::Error::other(Error::Backend(error)))?;
        // Sets no_new_privs as well.
        seccompiler::apply_filter(&program).map_err(io::Error::other)
    }

    fn errno(errno: i32) -> u32 {
        errno.unsigned_abs()
    }
}
