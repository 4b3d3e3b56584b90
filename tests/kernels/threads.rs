use armwise::internal::{fill_in_parts, in_parts};

#[test]
fn parts_cover_everything_in_order() {
    for parallel in [false, true] {
        let parts = in_parts(10, 4, parallel, |range| range);
        assert_eq!(parts, [0..4, 4..8, 8..10]);
        assert!(in_parts(0, 4, parallel, |range| range).is_empty());
    }
}

#[test]
fn the_first_error_is_reported() {
    for parallel in [false, true] {
        let mut out = [0; 10];
        let fill = |start: usize, part: &mut [usize]| {
            part.iter_mut().enumerate().for_each(|(i, x)| *x = start + i);
            if start >= 4 { Err(start) } else { Ok(()) }
        };
        assert_eq!(fill_in_parts(&mut out, 4, parallel, fill), Err(4));
        assert_eq!(out[..4], [0, 1, 2, 3]);
    }
}
