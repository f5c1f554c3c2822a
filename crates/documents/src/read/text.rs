//! Plain text, Markdown, JSON and tables of delimited values.

use serde::de::IgnoredAny;

use super::MAX_CELLS;
use super::encoding::decode;
use super::flow::row_line;
use super::outline::Outline;
use crate::worker::Job;
use crate::{Flaw, Format};

/// Plain text, as it is.
pub(crate) fn read_plain(file: &[u8], job: &Job) -> Result<Outline, Flaw> {
    let mut outline = Outline::new(Format::Text, job.text_limit);
    outline.block(&decode(file, job.charset.as_deref()))?;
    Ok(outline)
}

/// Markdown as it is written, cut at its headings.
pub(crate) fn read_markdown(file: &[u8], job: &Job) -> Result<Outline, Flaw> {
    let text = decode(file, job.charset.as_deref());
    let mut outline = Outline::new(Format::Markdown, job.text_limit);
    let mut lines = text.lines().peekable();
    let mut fence: Option<&str> = None;
    let mut blank = true;
    while let Some(line) = lines.next() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        if fence.is_none_or(|open| mark == Some(open)) && mark.is_some() {
            fence = if fence.is_none() { mark } else { None };
        } else if fence.is_none() {
            let underlined = lines.peek().and_then(|next| underline_level(line, next));
            if let Some((level, title)) = marked_heading(line).or_else(|| underlined.map(|level| (level, line.trim())))
            {
                lines.next_if(|_| underlined.is_some());
                outline.heading(level, title)?;
                blank = true;
                continue;
            }
        }
        match line.trim().is_empty() {
            true => blank = true,
            false if std::mem::take(&mut blank) => outline.block(line)?,
            false => outline.line(line)?,
        }
    }
    let first = outline.first_heading();
    outline.facts().title = first;
    Ok(outline)
}

/// `## Title ##`
fn marked_heading(line: &str) -> Option<(u8, &str)> {
    // Four spaces make it code.
    let line = line.strip_prefix("   ").or(line.strip_prefix("  ")).or(line.strip_prefix(' ')).unwrap_or(line);
    let rest = line.trim_start_matches('#');
    let level = u8::try_from(line.len() - rest.len()).ok().filter(|level| (1..=6).contains(level))?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let title = rest.trim();
    let bare = title.trim_end_matches('#');
    Some((level, if bare.is_empty() || bare.ends_with(' ') { bare.trim_end() } else { title }))
}

/// A line of text above a line of `=` or `-`.
fn underline_level(line: &str, next: &str) -> Option<u8> {
    let next = next.trim_end();
    let text = !line.trim().is_empty() && !line.starts_with([' ', '\t', '-', '*', '>', '|', '#', '+']);
    let all = |mark: char| next.len() >= 2 && next.chars().all(|character| character == mark);
    match text {
        true if all('=') => Some(1),
        true if all('-') => Some(2),
        _ => None,
    }
}

/// JSON, laid out with one value per line. Numbers stay as they are written.
pub(crate) fn read_json(file: &[u8], job: &Job) -> Result<Outline, Flaw> {
    let text = decode(file, job.charset.as_deref());
    serde_json::from_str::<IgnoredAny>(&text).map_err(|_| Flaw::Damaged { format: Format::Json })?;
    let mut outline = Outline::new(Format::Json, job.text_limit);
    outline.block(&laid_out(&text, job.text_limit)?)?;
    Ok(outline)
}

/// `json` is valid; so only strings need to be told from what is around them.
fn laid_out(json: &str, limit: usize) -> Result<String, Flaw> {
    let mut out = String::with_capacity(json.len());
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut before = ' ';
    for character in json.chars() {
        if out.len() > limit {
            return Err(Flaw::TooMuchText { limit });
        }
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        let breaks = if closes { !matches!(before, '{' | '[') } else { matches!(before, '{' | '[' | ',') };
        if breaks {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
        out.push(character);
        match character {
            '"' => in_string = true,
            ':' => out.push(' '),
            '{' | '[' => depth += 1,
            _ => {}
        }
        before = character;
    }
    Ok(out)
}

/// One line per record, whatever delimits its fields.
pub(crate) fn read_csv(file: &[u8], job: &Job) -> Result<Outline, Flaw> {
    let text = decode(file, job.charset.as_deref());
    let mut outline = Outline::new(Format::Csv, job.text_limit);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter_of(&text))
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut cells = 0_usize;
    while reader.read_record(&mut record).map_err(|_| Flaw::Damaged { format: Format::Csv })? {
        cells = cells.saturating_add(record.len());
        if cells > MAX_CELLS {
            return Err(Flaw::TooManyCells { limit: MAX_CELLS });
        }
        outline.line(&row_line(record.iter().map(str::to_owned).collect()))?;
    }
    Ok(outline)
}

/// The one that occurs most often in the first lines.
fn delimiter_of(text: &str) -> u8 {
    let count = |mark: u8| text.lines().take(10).flat_map(str::bytes).filter(|byte| *byte == mark).count();
    // Of those that occur equally often, the last is taken: the comma, if none occurs.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_not_changed() {
        let json = r#"{"a":[1e400,{"b\"]":"x, y"}],"c":{},"d":12345678901234567890123}"#;
        let laid = laid_out(json, 10_000).unwrap();
        let expected = "{\n  \"a\": [\n    1e400,\n    {\n      \"b\\\"]\": \"x, y\"\n    }\n  ],\n  \"c\": {},\n  \"d\": 12345678901234567890123\n}";
        assert_eq!(laid, expected);
    }

    #[test]
    fn headings_of_markdown() {
        assert_eq!(marked_heading("## A title ##"), Some((2, "A title")));
        assert_eq!(marked_heading("# C#"), Some((1, "C#")));
        assert_eq!(marked_heading("#"), Some((1, "")));
        assert_eq!(marked_heading("#tag"), None);
        assert_eq!(marked_heading("####### seven"), None);
        assert_eq!(marked_heading("    # code"), None);
        assert_eq!(underline_level("Title", "====="), Some(1));
        assert_eq!(underline_level("Title", "---"), Some(2));
        assert_eq!(underline_level("- item", "---"), None);
        assert_eq!(underline_level("", "---"), None);
    }

    #[test]
    fn delimiters_are_counted() {
        assert_eq!(delimiter_of("a;b;c\n1,5;2;3"), b';');
        assert_eq!(delimiter_of("a\tb"), b'\t');
        assert_eq!(delimiter_of("one column"), b',');
    }
}
