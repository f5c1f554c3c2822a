use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::http::Http;
use crate::script::{Ending, Refusal, Script};
use crate::wire::{Call, Frames, Outline, Template, Wire, quote};

/// How many pieces a frame is written in when it drips.
const PIECES: usize = 3;
pub(crate) const FLOOD_WORD: usize = 64 * 1024;

/// How a script left the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Played {
    /// The response is whole; the connection can take the next request.
    Whole,
    /// The script says to close it.
    Cut,
}

/// Plays a script. An error is a client that left before the end.
pub(crate) async fn play(http: &mut Http, call: &Call, script: Script) -> io::Result<Played> {
    match script.before_headers {
        Some(pause) => wait_until(http, Instant::now() + pause).await?,
        None => return left(http).await,
    }
    if let Some(Refusal { status, retry_after, message }) = script.refusal {
        return refuse(http, call.wire, status, retry_after, &message.replace("{key}", &call.key)).await;
    }
    let words = script.words(&call.question);
    let frames = call.wire.frames(&Outline {
        model: &call.model,
        thinks: script.thoughts > 0,
        usage: call.usage,
        finish: script.finish,
        input_tokens: call.input_tokens,
        output_tokens: script.thoughts + words.len(),
    });
    http.begin(frames.content_type);
    http.body(&[&frames.opening]);
    http.flush().await?;
    let first = Instant::now() + script.before_first;
    wait_until(http, first).await?;
    if script.drip {
        drip(http, &frames, &words, script.pace).await?;
    } else {
        speak(http, &frames, script.thoughts, &words, script.pace, first).await?;
    }
    close(http, &frames, script.ending).await
}

/// Answers with an error.
pub(crate) async fn refuse(
    http: &mut Http,
    wire: Wire,
    status: u16,
    retry_after: Option<u64>,
    message: &str,
) -> io::Result<Played> {
    http.respond(status, retry_after, wire.refusal(status, message).to_string().as_bytes());
    http.flush().await.map(|()| Played::Whole)
}

/// Writes the tokens, each at its time; those that are late by then go out with the one that is due.
async fn speak(
    http: &mut Http,
    frames: &Frames,
    thoughts: usize,
    words: &[String],
    pace: Duration,
    first: Instant,
) -> io::Result<()> {
    let mut due = first;
    let mut text = Vec::new();
    for index in 0..thoughts {
        if due > Instant::now() {
            http.flush().await?;
            wait_until(http, due).await?;
        }
        stage(http, &frames.thought, &format!("r{index} "), &mut text);
        due += pace;
    }
    if thoughts > 0 {
        http.body(&[&frames.turn]);
    }
    for word in words {
        if due > Instant::now() {
            http.flush().await?;
            wait_until(http, due).await?;
        }
        stage(http, &frames.word, word, &mut text);
        due += pace;
    }
    http.flush().await
}

fn stage(http: &mut Http, template: &Template, word: &str, text: &mut Vec<u8>) {
    text.clear();
    quote(word, text);
    http.body(&[&template.before, text, &template.after]);
}

async fn drip(http: &mut Http, frames: &Frames, words: &[String], pace: Duration) -> io::Result<()> {
    for word in words {
        let mut frame = frames.word.before.clone();
        // Behind the quotation mark and the first byte of the word, which may be half a character.
        let inside = frame.len() + 2;
        quote(word, &mut frame);
        frame.extend_from_slice(&frames.word.after);
        let (start, rest) = frame.split_at(inside);
        for piece in start.chunks(start.len().div_ceil(PIECES - 1)).chain([rest]) {
            http.body(&[piece]);
            http.flush().await?;
            wait_until(http, Instant::now() + pace).await?;
        }
    }
    Ok(())
}

async fn close(http: &mut Http, frames: &Frames, ending: Ending) -> io::Result<Played> {
    match ending {
        Ending::Complete => http.body(&[&frames.closing]),
        Ending::Unmarked => {}
        Ending::Cut => return Ok(Played::Cut),
        Ending::Hang => return left(http).await,
        Ending::Garbage => http.body(&[b"data: {\"choices\": <html>\n\n", b"{\"done\": <html>\n\n"]),
        Ending::Fail => http.body(&[&frames.failure]),
        Ending::ToolCall => http.body(&[&frames.tool_call, &frames.closing]),
        Ending::Flood => return flood(http, |http| stage_flood(http, &frames.word)).await,
        Ending::EndlessFrame => {
            http.body(&[&frames.word.before]);
            return flood(http, |http| http.body(&[&[b'x'; FLOOD_WORD]])).await;
        }
    }
    http.end();
    http.flush().await.map(|()| Played::Whole)
}

fn stage_flood(http: &mut Http, word: &Template) {
    stage(http, word, &"x".repeat(FLOOD_WORD), &mut Vec::new());
}

/// Writes more and more until the client leaves.
pub(crate) async fn flood(http: &mut Http, mut stage: impl FnMut(&mut Http)) -> io::Result<Played> {
    loop {
        stage(http);
        http.flush().await?;
    }
}

pub(crate) async fn left(http: &mut Http) -> io::Result<Played> {
    http.gone().await;
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// Waits, unless the client leaves first.
pub(crate) async fn wait_until(http: &mut Http, due: Instant) -> io::Result<()> {
    if due <= Instant::now() {
        return Ok(());
    }
    tokio::select! {
        biased;
        () = http.gone() => Err(io::ErrorKind::ConnectionAborted.into()),
        () = sleep_until(due) => Ok(()),
    }
}
