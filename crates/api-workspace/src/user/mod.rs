mod profile;
mod update_profile;

pub(crate) use profile::Profile;
pub(crate) use update_profile::UpdateProfile;

const SECTION: &str = "User Profile";
const PATH: &str = "/internal/user/profile";
