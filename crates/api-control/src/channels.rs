use omni_wire::control::ChannelStartup;

/// The channels that this version knows, by their names for programs and for people.
const CHANNELS: [(&str, &str); 4] =
    [("whatsapp-baileys", "WhatsApp"), ("discord", "Discord"), ("slack", "Slack"), ("telegram", "Telegram")];

/// Every channel, and whether an instance needs it. No table holds instances yet, so none does.
pub(crate) fn known() -> Vec<ChannelStartup> {
    CHANNELS.into_iter().map(|(name, title)| startup_of(name, title, Vec::new())).collect()
}

/// A channel with these active instances.
fn startup_of(name: &str, title: &str, instances: Vec<String>) -> ChannelStartup {
    let reason = match instances.len() {
        0 => format!("No active {title} instances"),
        1 => format!("1 active {title} instance configured"),
        count => format!("{count} active {title} instances configured"),
    };
    ChannelStartup {
        name: name.to_owned(),
        needed: !instances.is_empty(),
        reason: Some(reason),
        instances,
        config: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_needed_for_its_instances() {
        let channel = |instances: &[&str]| {
            let channel = startup_of("discord", "Discord", instances.iter().map(ToString::to_string).collect());
            (channel.needed, channel.reason.unwrap())
        };
        assert_eq!(channel(&[]), (false, "No active Discord instances".to_owned()));
        assert_eq!(channel(&["a"]), (true, "1 active Discord instance configured".to_owned()));
        assert_eq!(channel(&["a", "b", "c"]), (true, "3 active Discord instances configured".to_owned()));
    }
}
