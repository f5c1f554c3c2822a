use omni_http::RouteSpec;

use crate::{PublicApi, key};

/// Every endpoint of the public API. What is not here is not served.
pub static ROUTES: &[RouteSpec<PublicApi>] = &[RouteSpec::of::<key::Get>()];
