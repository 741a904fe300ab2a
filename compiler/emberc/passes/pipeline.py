"""The default pipeline: one readable list."""

from __future__ import annotations

from emberc.passes.canonicalize import Canonicalize
from emberc.passes.channels_last import ChannelsLast
from emberc.passes.conv_padding import ConvPadding
from emberc.passes.conv_to_rows import ConvToRows
from emberc.passes.drop_padding import DropPadding
from emberc.passes.expand_recurrence import ExpandRecurrence
from emberc.passes.factor_positions import FactorPositions
from emberc.passes.factorize import Factorize
from emberc.passes.flag_inputs import FlagInputs
from emberc.passes.fold_affine import FoldAffine
from emberc.passes.fold_transpose import FoldTranspose
from emberc.passes.fuse_attention import FuseAttention
from emberc.passes.fuse_causal_conv import FuseCausalConv
from emberc.passes.fuse_embedding import FuseEmbedding
from emberc.passes.fuse_epilogue import FuseEpilogue
from emberc.passes.fuse_fast_norm import FuseFastNorm
from emberc.passes.fuse_functions import FuseFunctions
from emberc.passes.fuse_gelu import FuseGelu
from emberc.passes.fuse_integer_functions import FuseIntegerFunctions
from emberc.passes.fuse_linear import FuseLinear
from emberc.passes.fuse_magnitude import FuseMagnitude
from emberc.passes.fuse_norm import FuseNorm
from emberc.passes.fuse_one_hot import FuseOneHot
from emberc.passes.fuse_qkv import FuseQkv
from emberc.passes.fuse_scan import FuseScan
from emberc.passes.fuse_softmax import FuseSoftmax
from emberc.passes.hoist_scalars import HoistScalars
from emberc.passes.manager import Pipeline
from emberc.passes.mask_scores import MaskScores
from emberc.passes.merge_adapters import MergeAdapters
from emberc.passes.merge_equal import MergeEqual
from emberc.passes.prune_rows import PruneRows
from emberc.passes.prune_vocabulary import PruneVocabulary
from emberc.passes.quantize import Quantize
from emberc.passes.recover_recurrence import RecoverRecurrence
from emberc.passes.split_conv import SplitConv
from emberc.passes.split_linear import SplitLinear
from emberc.passes.static_quantization import StaticQuantization
from emberc.passes.tile_rows import TileRows
from emberc.passes.tile_time import TileTime
from emberc.passes.windows_last import WindowsLast


def default_pipeline(quantize: Quantize | None = None) -> Pipeline:
    """From an imported float module to an integer module that is ready to be planned."""
    return Pipeline(
        [
            # float -> float
            RecoverRecurrence(),  # what exporters unrolled: first, while later passes see a small graph
            FuseIntegerFunctions(),  # I-BERT's own integer arithmetic
            StaticQuantization(),  # dynamic ranges become calibrated ones
            Canonicalize(),  # one spelling for what exporters write in many
            ConvPadding(),  # the padding that models put around convolution, and cut off
            ConvToRows(),  # convolution over time, channels last
            FuseFastNorm(),  # LayerNorm with the variance of flax
            FuseSoftmax(),  # softmax from its parts
            FlagInputs(),  # masks that are inputs of reals
            FuseNorm(),  # LayerNorm and RMSNorm from their parts
            FuseMagnitude(),  # lengths of complex numbers
            FuseGelu(),  # GELU and SiLU from their parts
            DropPadding(),  # of chunks that are gone, between a scan and what follows it
            FuseScan(),  # selective scans from recurrences and all that surrounds them
            ChannelsLast(),  # what models with channels before time transpose around their products
            HoistScalars(),  # attention's scale, gains on activations
            WindowsLast(),  # convolution and pooling in any dimension, and what lies between
            Canonicalize(),  # the movement that is left around them
            FuseLinear(),  # products with constants, their biases and gains
            Canonicalize(),  # what reshapes left their products for
            FuseOneHot(),  # products of one-hot rows are look-ups
            FoldAffine(),  # batch normalization into convolutions and linears
            MergeAdapters(),  # LoRA into the weights that it adapts
            MergeEqual(),  # masks that exporters repeat per layer
            FuseAttention(),  # softmax(q k^T) v without the L x L matrix
            MaskScores(),  # masks on scores that stay scores
            FuseEmbedding(),  # table look-ups summed in one op
            FactorPositions(),  # positions that were multiplied out, back to what they came from
            PruneRows(),  # only the rows that the outputs need
            ConvToRows(),  # and of a convolution, only what they reach
            FuseLinear(),  # pruning may have brought a linear and its bias together
            FuseQkv(),  # linears of one input become one
            FuseCausalConv(),  # the convolutions before scans, which stream with a state of their own
            SplitConv(),  # and those over x, B and C together
            SplitLinear(),  # packed projections of state space models
            FuseLinear(),  # the biases of their parts
            PruneVocabulary(),  # only the words that the user keeps
            Factorize(),  # weights that a fit plan gives a low rank
            FuseFunctions(),  # what is left of one variable: one table
            ExpandRecurrence(),  # recurrences without a kernel, step by step
            # float -> integer
            quantize or Quantize(),
            # integer -> integer
            FuseEpilogue(),  # tables into the products that feed them
            FoldTranspose(),  # products that read keys as they lie
            TileTime(),  # models that only look back a few steps at a time
            TileRows(),  # feed-forward blocks a few rows at a time
        ]
    )
