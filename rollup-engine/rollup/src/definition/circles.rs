//! What needs what, and whether it comes round.

/// Numbers in an order in which each comes after all that it needs, and the circles; each circle ends as it begins
///
/// What is in a circle comes into the order nowhere.
pub(super) fn sorted(needs: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut settled = vec![false; needs.len()];
    let (mut order, mut circles) = (Vec::new(), Vec::new());
    loop {
        let open = |number: usize| settled.get(number) == Some(&false);
        let is_ready = |needed: &Vec<usize>| !needed.iter().any(|needed| open(*needed));
        let ready = needs.iter().enumerate().find(|(number, needed)| open(*number) && is_ready(needed));
        if let Some((number, _)) = ready {
            order.push(number);
            settle(&mut settled, number);
            continue;
        }
        let Some(start) = settled.iter().position(|settled| !settled) else { break };
        // Each that is left needs another one that is left, so following the needs must come round.
        let mut path = vec![start];
        while let Some(next) = path
            .last()
            .and_then(|last| needs.get(*last))
            .and_then(|needed| needed.iter().find(|needed| settled.get(**needed) == Some(&false)))
        {
            if let Some(at) = path.iter().position(|seen| seen == next) {
                path.drain(..at);
                path.push(*next);
                break;
            }
            path.push(*next);
        }
        for number in &path {
            settle(&mut settled, *number);
        }
        circles.push(path);
    }
    (order, circles)
}

fn settle(settled: &mut [bool], number: usize) {
    if let Some(slot) = settled.get_mut(number) {
        *slot = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_circles() {
        assert_eq!(sorted(&[vec![1], vec![2], vec![]]), (vec![2, 1, 0], vec![]));
        assert_eq!(sorted(&[vec![0]]), (vec![], vec![vec![0, 0]]));
        // Both circles are found, and what is behind one of them.
        let (order, circles) = sorted(&[vec![1], vec![2, 3], vec![1], vec![4], vec![3], vec![]]);
        assert_eq!((order, circles), (vec![5, 0], vec![vec![1, 2, 1], vec![3, 4, 3]]));
    }
}
