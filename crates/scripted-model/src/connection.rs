use std::io;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpStream;

use crate::document::deliver;
use crate::http::Http;
use crate::play::{Played, play, refuse};
use crate::record::Record;
use crate::script::Script;
use crate::wire::{Call, Manner, Outline, Route, Wire, route};

/// Serves one connection until either side closes it.
pub(crate) async fn serve(stream: TcpStream, record: Arc<Record>) {
    let Ok(mut http) = Http::new(stream) else { return };
    // An error is a client that left or that speaks no HTTP: there is nobody to tell.
    while let Ok(Some(request)) = http.request().await {
        let route = route(&request);
        record.started(request);
        match respond(&mut http, &record, route).await {
            Ok(Played::Whole) => record.completed(),
            Ok(Played::Cut) => return record.completed(),
            Err(_) => return record.cancelled(),
        }
    }
}

async fn respond(http: &mut Http, record: &Record, route: Route) -> io::Result<Played> {
    match route {
        Route::Models => {
            let models = ["echo", "tokens-200-5ms"].map(|id| json!({"id": id, "object": "model"}));
            http.respond(200, None, json!({"object": "list", "data": models}).to_string().as_bytes());
            http.flush().await.map(|()| Played::Whole)
        }
        Route::Fault(wire, status, message) => refuse(http, wire, status, None, message).await,
        Route::Answer(call) => match record.script_for(&call.model) {
            Some(script) => answer(http, &call, script).await,
            None => refuse_unknown(http, call.wire, &call.model).await,
        },
        Route::Document(inquiry) => match record.script_for(&inquiry.model) {
            Some(script) => deliver(http, &inquiry, script).await,
            None => refuse_unknown(http, inquiry.wire, &inquiry.model).await,
        },
    }
}

async fn refuse_unknown(http: &mut Http, wire: Wire, model: &str) -> io::Result<Played> {
    if wire == Wire::OpenAi(Manner::Azure) {
        return refuse(http, wire, 404, None, "The API deployment for this resource does not exist.").await;
    }
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    refuse(http, wire, 404, None, &message).await
}

async fn answer(http: &mut Http, call: &Call, script: Script) -> io::Result<Played> {
    if call.streamed || script.before_headers.is_none() || script.refusal.is_some() {
        return play(http, call, script).await;
    }
    let words = script.words(&call.question);
    let outline = Outline {
        model: &call.model,
        thinks: false,
        usage: true,
        finish: script.finish,
        input_tokens: call.input_tokens,
        output_tokens: words.len(),
    };
    http.respond(200, None, call.wire.whole(&outline, &words.concat()).to_string().as_bytes());
    http.flush().await.map(|()| Played::Whole)
}
