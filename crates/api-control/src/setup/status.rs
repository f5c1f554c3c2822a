use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery};
use omni_wire::control::{SetupChecks, SetupStatus, SetupStep};
use serde_json::json;
use tokio::time::timeout;

use crate::state::PATIENCE;
use crate::{ControlApi, ControlPlane, Loopback, channels};

/// Says what is missing before the installation can be used.
pub(crate) enum Status {}

impl Endpoint for Status {
    type Plane = ControlApi;
    type Access = Loopback;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<SetupStatus>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/api/v2/_internal/setup/status";
    const SECTION: &'static str = "Setup";
    const SUMMARY: &'static str = "What is missing before the installation can be used";

    fn example() -> Example {
        Example::plain().answers(json!({
            "setupRequired": true,
            "setupCompleted": false,
            "bootstrapMode": true,
            "checks": {
                "databaseConnected": true,
                "natsConnected": true,
                "apiKeyExists": false,
                "instancesExist": false,
                "settingsInitialized": false,
            },
            "suggestedStep": "api_keys",
        }))
    }

    async fn handle(ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Self::Reply, ApiError> {
        Ok(Answer(status_of(check(&ctx.state).await)))
    }
}

async fn check(state: &ControlPlane) -> SetupChecks {
    let (set_up, nats) = tokio::join!(timeout(PATIENCE, state.store.set_up()), state.bus.probe(PATIENCE));
    let set_up = set_up.ok().and_then(Result::ok);
    SetupChecks {
        database_connected: set_up.is_some(),
        nats_connected: nats.is_ok(),
        // No table holds API keys yet, so there is none.
        api_key_exists: false,
        instances_exist: channels::known().iter().any(|channel| channel.needed),
        settings_initialized: set_up.is_some_and(|set_up| set_up.has_app),
    }
}

fn status_of(checks: SetupChecks) -> SetupStatus {
    let step = next_step(checks);
    let has_something = checks.api_key_exists || checks.instances_exist || checks.settings_initialized;
    SetupStatus {
        setup_required: step.is_some(),
        setup_completed: step.is_none(),
        bootstrap_mode: step.is_some() && !has_something,
        checks,
        suggested_step: step,
    }
}

fn next_step(checks: SetupChecks) -> Option<SetupStep> {
    if !checks.database_connected {
        Some(SetupStep::Database)
    } else if !checks.api_key_exists {
        Some(SetupStep::ApiKeys)
    } else if !checks.instances_exist {
        Some(SetupStep::FirstInstance)
    } else if !checks.settings_initialized {
        Some(SetupStep::Complete)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(is_there: [bool; 4]) -> (Option<SetupStep>, bool) {
        let [database_connected, api_key_exists, instances_exist, settings_initialized] = is_there;
        let checks = SetupChecks {
            database_connected,
            nats_connected: true,
            api_key_exists,
            instances_exist,
            settings_initialized,
        };
        let status = status_of(checks);
        assert_eq!(status.setup_required, status.suggested_step.is_some());
        assert_eq!(status.setup_completed, !status.setup_required);
        (status.suggested_step, status.bootstrap_mode)
    }

    #[test]
    fn steps_follow_one_another() {
        assert_eq!(status([false, false, false, false]), (Some(SetupStep::Database), true));
        assert_eq!(status([true, false, false, false]), (Some(SetupStep::ApiKeys), true));
        assert_eq!(status([true, false, false, true]), (Some(SetupStep::ApiKeys), false));
        assert_eq!(status([true, true, false, true]), (Some(SetupStep::FirstInstance), false));
        assert_eq!(status([true, true, true, false]), (Some(SetupStep::Complete), false));
        assert_eq!(status([true, true, true, true]), (None, false));
    }
}
