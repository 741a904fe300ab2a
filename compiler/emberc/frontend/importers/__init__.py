"""What each ONNX operator means in the float dialect, one file a family; importing this package registers them."""

from emberc.frontend.importers import activation as activation
from emberc.frontend.importers import attention as attention
from emberc.frontend.importers import bits as bits
from emberc.frontend.importers import elementwise as elementwise
from emberc.frontend.importers import indexing as indexing
from emberc.frontend.importers import linear_attention as linear_attention
from emberc.frontend.importers import math as math
from emberc.frontend.importers import microsoft as microsoft
from emberc.frontend.importers import microsoft_language as microsoft_language
from emberc.frontend.importers import microsoft_transformer as microsoft_transformer
from emberc.frontend.importers import movement as movement
from emberc.frontend.importers import ngrams as ngrams
from emberc.frontend.importers import norm as norm
from emberc.frontend.importers import overlap as overlap
from emberc.frontend.importers import qoperator as qoperator
from emberc.frontend.importers import quantized as quantized
from emberc.frontend.importers import recurrent as recurrent
from emberc.frontend.importers import reduce as reduce
from emberc.frontend.importers import resize as resize
from emberc.frontend.importers import sampling as sampling
from emberc.frontend.importers import scatter as scatter
from emberc.frontend.importers import sequence as sequence
from emberc.frontend.importers import shape as shape
from emberc.frontend.importers import spectrum as spectrum
from emberc.frontend.importers import tensor_lists as tensor_lists
from emberc.frontend.importers import window as window
