//! Who visits.

use http::HeaderValue;
use url::Url;

use crate::{error::CrawlError, robots::is_product_letter};

/// The crawler's name, for `robots.txt` and for the logs of the sites that it visits.
#[derive(Debug, Clone)]
pub struct Agent {
    product: String,
    header: HeaderValue,
}

impl Agent {
    /// A crawler with the product token `product`; `contact` is a page that tells sites whom to ask about it.
    ///
    /// # Errors
    /// [`CrawlError::AgentName`] if the token has other characters than RFC 9309 allows.
    pub fn new(product: &str, contact: Option<&Url>) -> Result<Self, CrawlError> {
        let fits = !product.is_empty() && product.len() <= 64 && product.chars().all(is_product_letter);
        if !fits {
            return Err(CrawlError::AgentName);
        }
        let version = env!("CARGO_PKG_VERSION");
        let contact = contact.map(|url| format!(" (+{url})")).unwrap_or_default();
        let header =
            HeaderValue::from_str(&format!("{product}/{version}{contact}")).map_err(|_| CrawlError::AgentName)?;
        Ok(Self { product: product.to_owned(), header })
    }

    /// The product token.
    #[must_use]
    pub fn product(&self) -> &str {
        &self.product
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

impl Default for Agent {
    /// `OmniBot` without a contact.
    fn default() -> Self {
        let header = HeaderValue::from_static(concat!("OmniBot/", env!("CARGO_PKG_VERSION")));
        Self { product: "OmniBot".to_owned(), header }
    }
}

#[cfg(test)]
mod tests {
    use super::Agent;
    use crate::error::CrawlError;

    #[test]
    fn the_header_names_product_version_and_contact() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(Agent::default().header(), format!("OmniBot/{version}"));
        let contact = "https://omni.example/bot".parse().unwrap();
        let agent = Agent::new("HouseBot", Some(&contact)).unwrap();
        assert_eq!(agent.header(), format!("HouseBot/{version} (+https://omni.example/bot)"));
        assert_eq!(agent.product(), "HouseBot");
    }

    #[test]
    fn a_name_that_no_robots_txt_can_address_is_refused() {
        for name in ["", "Omni Bot", "Bot/1", "Bot2", "Böt", "Bot\r\nX", &"x".repeat(65)] {
            assert_eq!(Agent::new(name, None).unwrap_err(), CrawlError::AgentName, "{name}");
        }
    }
}
