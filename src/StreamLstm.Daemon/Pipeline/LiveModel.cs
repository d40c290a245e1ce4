using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The base weights in service: one reference to an immutable object, replaced whole, read by the router alone.</summary>
internal sealed class LiveModel(BaseModel start)
{
    private volatile ServingModel _serving = new(start, Swap: null);

    public ServingModel Serving => _serving;

    /// <summary>Puts new weights into service. The router stamps every later batch with them.</summary>
    public void Swap(BaseModel model, ModelSwap? swap) => _serving = new ServingModel(model, swap);
}

/// <summary>Base weights and the swap that brought them; null for those the daemon started with.</summary>
internal sealed record ServingModel(BaseModel Model, ModelSwap? Swap);
