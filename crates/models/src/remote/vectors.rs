use crate::error::ModelError;
use crate::wire::embedding::Reply;

const fn malformed<T>(what: &'static str) -> Result<T, ModelError> {
    Err(ModelError::Malformed { what })
}

/// The vectors of a reply in the order of the texts, if they are what they should be.
pub(super) fn vectors_of(reply: Reply, count: usize) -> Result<Vec<Vec<f32>>, ModelError> {
    if reply.vectors.len() != count {
        return malformed("it has not one vector for each text");
    }
    let mut places: Vec<Option<Vec<f32>>> = vec![None; count];
    for (at, (index, vector)) in reply.vectors.into_iter().enumerate() {
        check_numbers(&vector)?;
        match places.get_mut(index.unwrap_or(at)) {
            Some(place @ None) => *place = Some(vector),
            Some(Some(_)) => return malformed("it has two vectors for one text"),
            None => return malformed("it has a vector for no text"),
        }
    }
    Ok(places.into_iter().flatten().collect())
}

fn check_numbers(vector: &[f32]) -> Result<(), ModelError> {
    if vector.is_empty() {
        malformed("a vector is empty")
    } else if !vector.iter().all(|number| number.is_finite()) {
        malformed("a vector has a number that is too large")
    } else if vector.iter().all(|number| *number == 0.0) {
        malformed("a vector has only zeros")
    } else {
        Ok(())
    }
}

/// Whether all vectors of a call can be compared, and are as long as was asked for.
pub(super) fn check_dimensions(vectors: &[Vec<f32>], asked: Option<u32>, model: &str) -> Result<(), ModelError> {
    let first = vectors.first().map_or(0, Vec::len);
    if vectors.iter().any(|vector| vector.len() != first) {
        return malformed("its vectors are not equally long");
    }
    match asked {
        Some(asked) if usize::try_from(asked) != Ok(first) => Err(ModelError::DimensionsUnusable {
            model: model.to_owned(),
            asked,
            advice: format!("its vectors have {first}; enter that number, or none"),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(vectors: &[(Option<usize>, &[f32])]) -> Reply {
        Reply { vectors: vectors.iter().map(|(index, vector)| (*index, vector.to_vec())).collect(), input_tokens: None }
    }

    #[test]
    fn what_is_no_vector_is_told() {
        for (vectors, what) in [
            (vec![], "not one vector for each"),
            (vec![(None, [1.0].as_slice()); 3], "not one vector for each"),
            (vec![(Some(0), &[1.0]), (Some(0), &[1.0])], "two vectors"),
            (vec![(Some(0), &[1.0]), (Some(2), &[1.0])], "for no text"),
            (vec![(Some(1), &[1.0]), (None, &[1.0])], "two vectors"),
            (vec![(None, &[1.0]), (None, &[f32::INFINITY])], "too large"),
            (vec![(None, &[1.0]), (None, &[f32::NAN])], "too large"),
            (vec![(None, &[1.0]), (None, &[0.0, -0.0])], "only zeros"),
            (vec![(None, &[1.0]), (None, &[])], "empty"),
        ] {
            let error = vectors_of(reply(&vectors), 2).unwrap_err();
            assert!(error.code() == "answer_malformed" && error.to_string().contains(what), "{what}: {error}");
        }
        let mixed = [vec![1.0], vec![1.0, 2.0]];
        assert_eq!(check_dimensions(&mixed, None, "m").unwrap_err().code(), "answer_malformed");
        let error = check_dimensions(&mixed[1..], Some(3), "m").unwrap_err();
        assert_eq!((error.code(), error.field()), ("dimensions_unusable", Some("dimensions")));
        assert!(error.to_string().ends_with("its vectors have 2; enter that number, or none"), "{error}");
        check_dimensions(&mixed[1..], Some(2), "m").unwrap();
    }

    proptest! {
        #[test]
        fn the_places_that_a_provider_names_are_taken(order in Just((0..20_u16).collect::<Vec<_>>()).prop_shuffle()) {
            let vectors = order.iter().map(|&place| (Some(usize::from(place)), vec![f32::from(place) + 1.0]));
            let found = vectors_of(Reply { vectors: vectors.collect(), input_tokens: None }, 20).unwrap();
            prop_assert!(found.iter().zip(0..20_u16).all(|(vector, place)| vector == &[f32::from(place) + 1.0]));
        }
    }
}
