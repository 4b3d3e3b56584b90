//! Matrices in files: rows of numbers, as a reader expects, not the array library's own format. For
//! `#[serde(with = "..")]`.

use ndarray::Array2;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn rows_of<T: Copy>(matrix: &Array2<T>) -> Vec<Vec<T>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

fn matrix_of<T: Copy, E: Error>(rows: &[Vec<T>]) -> Result<Array2<T>, E> {
    let columns = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != columns) {
        return Err(E::custom("the rows of a matrix must be equally long"));
    }
    Ok(Array2::from_shape_fn((rows.len(), columns), |(i, j)| rows[i][j]))
}

pub(crate) fn serialize<T: Copy + Serialize, S: Serializer>(
    matrix: &Array2<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    rows_of(matrix).serialize(serializer)
}

pub(crate) fn deserialize<'de, T: Copy + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Array2<T>, D::Error> {
    matrix_of(&Vec::<Vec<T>>::deserialize(deserializer)?)
}

/// The same for a matrix that may be absent.
pub(crate) mod optional {
    use super::{Array2, Deserialize, Deserializer, Serialize, Serializer, matrix_of, rows_of};

    #[allow(clippy::ref_option)] // serde's signature
    pub(crate) fn serialize<S: Serializer>(
        matrix: &Option<Array2<f64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        matrix.as_ref().map(rows_of).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Array2<f64>>, D::Error> {
        let rows: Option<Vec<Vec<f64>>> = Option::deserialize(deserializer)?;
        rows.map(|rows| matrix_of(&rows)).transpose()
    }
}
