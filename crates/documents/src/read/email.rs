//! E-mails: who, when and about what, then the text. Attachments are named and not opened.

use mail_parser::{Address, MessageParser, MimeHeaders, PartType};

use super::flow::Flow;
use super::html;
use super::outline::Outline;
use crate::worker::Job;
use crate::{Flaw, Format};

pub(crate) fn read(file: &[u8], job: &Job) -> Result<Outline, Flaw> {
    let damaged = Flaw::Damaged { format: Format::Email };
    let message = MessageParser::default().parse(file).ok_or(damaged.clone())?;
    if message.headers().is_empty() {
        return Err(damaged);
    }
    let mut flow = Flow::new(Outline::new(Format::Email, job.text_limit));
    let facts = flow.outline.facts();
    facts.title = message.subject().map(str::to_owned);
    facts.author = message.from().map(people);
    let headers = [
        ("From", message.from().map(people)),
        ("To", message.to().map(people)),
        ("Cc", message.cc().map(people)),
        ("Date", message.date().map(mail_parser::DateTime::to_rfc3339)),
        ("Subject", message.subject().map(str::to_owned)),
    ];
    for (name, value) in headers {
        if let Some(value) = value {
            flow.outline.line(&format!("{name}: {value}"))?;
        }
    }
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => flow.outline.block(text)?,
            PartType::Html(page) => html::read_into(page, &mut flow)?,
            _ => {}
        }
    }
    for attachment in message.attachments() {
        flow.outline.line(&format!("Attachment: {}", attachment.attachment_name().unwrap_or("without a name")))?;
    }
    Ok(flow.outline)
}

fn people(address: &Address<'_>) -> String {
    let shown = address.iter().map(|person| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    });
    shown.collect::<Vec<_>>().join(", ")
}
