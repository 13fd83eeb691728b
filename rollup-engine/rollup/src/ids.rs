//! Ids of records; and lists whose places have a type of their own, so that the place of an object is never taken for that
//! of a definition.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use uuid::Uuid;

/// A place in the list that it was made for
pub trait Id: Copy + Eq {
    /// The id of this place
    fn at(place: usize) -> Self;
    /// The place
    fn place(self) -> usize;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(usize);

        impl Id for $name {
            fn at(place: usize) -> Self {
                Self(place)
            }
            fn place(self) -> usize {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id! {
    /// An object whose records are read
    SourceId
}

id! {
    /// A definition that runs
    RollupId
}

id! {
    /// A total of a definition that runs
    ColumnId
}

/// A list that is indexed by ids of its own; an id of another run's list is a fault of this program, and panics
///
/// ```
/// use rollup::ids::{IdList, SourceId};
///
/// let mut names: IdList<SourceId, &str> = IdList::default();
/// let person = names.push("person");
/// assert_eq!(names[person], "person");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdList<I, T> {
    items: Vec<T>,
    ids: PhantomData<I>,
}

impl<I: Id, T> IdList<I, T> {
    /// Adds an item.
    pub fn push(&mut self, item: T) -> I {
        self.items.push(item);
        I::at(self.items.len() - 1)
    }

    /// Number of items
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// The items, to be changed
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }

    /// The ids
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::at)
    }

    /// The items with their ids
    pub fn entries(&self) -> impl Iterator<Item = (I, &T)> {
        self.items.iter().enumerate().map(|(place, item)| (I::at(place), item))
    }

    /// The first item of which this holds
    pub fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<I> {
        self.items.iter().position(wanted).map(I::at)
    }
}

impl<I, T> Default for IdList<I, T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: PhantomData }
    }
}

impl<I, T> FromIterator<T> for IdList<I, T> {
    fn from_iter<Items: IntoIterator<Item = T>>(items: Items) -> Self {
        Self { items: items.into_iter().collect(), ids: PhantomData }
    }
}

impl<'l, I, T> IntoIterator for &'l IdList<I, T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<'l, I, T> IntoIterator for &'l mut IdList<I, T> {
    type Item = &'l mut T;
    type IntoIter = std::slice::IterMut<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter_mut()
    }
}

#[expect(clippy::indexing_slicing, reason = "ids come from the list that they are used with")]
impl<I: Id, T> Index<I> for IdList<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.items[id.place()]
    }
}

#[expect(clippy::indexing_slicing, reason = "ids come from the list that they are used with")]
impl<I: Id, T> IndexMut<I> for IdList<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.place()]
    }
}

/// Ids of records, in their order and each once
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(Vec<Uuid>);

impl Ids {
    /// Adds an id
    pub fn insert(&mut self, id: Uuid) {
        if let Err(place) = self.0.binary_search(&id) {
            self.0.insert(place, id);
        }
    }

    /// Whether this one is among them
    #[must_use]
    pub fn contains(&self, id: Uuid) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// Whether there is none
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a slice
    #[must_use]
    pub fn as_slice(&self) -> &[Uuid] {
        &self.0
    }
}

impl Extend<Uuid> for Ids {
    fn extend<T: IntoIterator<Item = Uuid>>(&mut self, ids: T) {
        for id in ids {
            self.insert(id);
        }
    }
}

impl FromIterator<Uuid> for Ids {
    fn from_iter<T: IntoIterator<Item = Uuid>>(ids: T) -> Self {
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }
}

/// Parents to recompute: a set for each definition
pub type Targets = Vec<Ids>;
