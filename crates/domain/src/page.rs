use crate::Invalid;

/// Which part of a list is wanted. Pages count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The number of the page, from 1.
    pub page: u32,
    /// How many items a page has, from 1 to [`PageRequest::MOST`].
    pub per_page: u32,
}

impl PageRequest {
    /// The most items that one answer carries.
    pub const MOST: u32 = 100;
    /// How many items a page of an unbounded list has unless the caller says otherwise.
    pub const DEFAULT: u32 = 30;

    /// Checks what the caller asked for, with `default` items a page if it did not say.
    ///
    /// # Errors
    /// When `page` or `per_page` is zero, or `per_page` is over [`PageRequest::MOST`].
    pub fn new(page: Option<u32>, per_page: Option<u32>, default: u32) -> Result<Self, Invalid> {
        let page = page.unwrap_or(1);
        let per_page = per_page.unwrap_or(default);
        if page == 0 {
            return Err(Invalid::new("page", "pages count from 1"));
        }
        if !(1..=Self::MOST).contains(&per_page) {
            return Err(Invalid::new("per_page", format!("must be from 1 to {}", Self::MOST)));
        }
        Ok(Self { page, per_page })
    }

    /// How many items come before this page.
    #[must_use]
    pub fn offset(self) -> i64 {
        (i64::from(self.page) - 1) * i64::from(self.per_page)
    }

    /// How many items this page has at most.
    #[must_use]
    pub fn limit(self) -> i64 {
        i64::from(self.per_page)
    }
}

/// One page of a list, with the length of the whole list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many items the whole list has.
    pub total: u64,
    /// What was asked for.
    pub request: PageRequest,
}

impl<T> Page<T> {
    /// How many pages the whole list makes.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(u64::from(self.request.per_page))
    }

    /// The same page with each item converted.
    #[must_use]
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), total: self.total, request: self.request }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_makes_no_page() {
        assert_eq!(PageRequest::new(Some(0), None, 30).unwrap_err().field, "page");
        assert_eq!(PageRequest::new(None, Some(0), 30).unwrap_err().field, "per_page");
        assert_eq!(PageRequest::new(None, Some(101), 30).unwrap_err().field, "per_page");
    }

    #[test]
    fn the_last_page_counts() {
        let request = PageRequest::new(Some(2), Some(30), 30).unwrap();
        assert_eq!(request.offset(), 30);
        let page = Page { items: vec![(); 1], total: 31, request };
        assert_eq!(page.pages(), 2);
    }
}
