//! A recognizer without models, to measure what this layer costs.

use std::sync::Arc;
use std::time::Instant;

use facecore::backend::fake::FakeBackend;
use facecore::model::{ElementType, PortInfo};
use facecore::{
    DecodeOptions, Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind, EmbedderOptions,
    EmbedderSpec, InputSize, ModelSource, Runtime, RuntimeOptions,
};
use pyo3::prelude::*;
