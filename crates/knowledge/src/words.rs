/// The most words of a question that are looked for.
const MOST_WORDS: usize = 32;
/// The longest word that is looked for, in bytes. What is longer is a key, a blob, or text without spaces; PostgreSQL keeps
/// none of over 2046 bytes, and refuses to be asked for one.
const LONGEST: usize = 200;

/// Words that are in every text of their language and tell nothing apart: those of the languages that are asked in most.
const EVERYWHERE: &[&str] = &[
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did",
    "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "into", "is",
    "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "she", "should", "so", "some", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were", "what",
    "when", "where", "which", "who", "whom", "why", "will", "with", "would", "you", "your", // German
    "aber", "als", "auch", "auf", "aus", "bei", "bin", "bist", "das", "dass", "dem", "den", "der", "des", "die", "du",
    "ein", "eine", "einem", "einen", "einer", "er", "es", "für", "hat", "ich", "ihr", "im", "ist", "kann", "man",
    "mein", "mich", "mir", "mit", "nach", "nicht", "noch", "nur", "oder", "sich", "sie", "sind", "und", "uns", "von",
    "wann", "warum", "was", "wenn", "wer", "wie", "wir", "wird", "wo", "zu", "zum", "zur", // French
    "au", "aux", "avec", "ce", "ces", "comment", "dans", "de", "des", "du", "elle", "en", "est", "et", "il", "je",
    "la", "le", "les", "mais", "ne", "nous", "ou", "par", "pas", "pour", "que", "qui", "quoi", "sa", "se", "ses",
    "son", "sur", "un", "une", "vous", // Spanish
    "al", "como", "con", "cual", "cuando", "del", "donde", "el", "es", "los", "las", "más", "mi", "para", "pero",
    "por", "qué", "se", "su", "sus", "te", "tu", "y", "yo",
];

/// The words of a question that are worth looking for, each once: letters and digits in lower case, as PostgreSQL's `simple`
/// configuration has them. If none is, all of them are.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        if word.len() > LONGEST {
            continue;
        }
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() == 4 * MOST_WORDS {
            break;
        }
    }
    let telling: Vec<String> = words.iter().filter(|word| !EVERYWHERE.contains(&word.as_str())).cloned().collect();
    let mut chosen = if telling.is_empty() { words } else { telling };
    chosen.truncate(MOST_WORDS);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_words_that_tell() {
        assert_eq!(words_of("How do I reset my PASSWORD, my password?"), ["reset", "password"]);
        assert_eq!(words_of("Wie setze ich mein Passwort zurück?"), ["setze", "passwort", "zurück"]);
        assert_eq!(words_of("To be or not to be"), ["to", "be", "or", "not"]);
        assert_eq!(words_of("'; DROP TABLE chunks; --"), ["drop", "table", "chunks"]);
        assert_eq!(words_of("…!?"), Vec::<String>::new());
        assert_eq!(words_of(&"word ".repeat(10_000)), ["word"]);
        assert_eq!(words_of(&format!("key {}", "a1".repeat(2_000))), ["key"]);
    }
}
