#include <string.h>

#include "io/h5_internal.h"
#include "io/utf8.h"

hid_t h5_file_type(enum number_type type)
{
    switch (type) {
    case NUMBER_U64:
        return H5T_STD_U64LE;
    case NUMBER_I64:
        return H5T_STD_I64LE;
    case NUMBER_U32:
        return H5T_STD_U32LE;
    default:
        return H5T_IEEE_F64LE;
    }
}

hid_t h5_memory_type(enum number_type type)
{
    switch (type) {
    case NUMBER_U64:
        return H5T_NATIVE_UINT64;
    case NUMBER_I64:
        return H5T_NATIVE_INT64;
    case NUMBER_U32:
        return H5T_NATIVE_UINT32;
    default:
        return H5T_NATIVE_DOUBLE;
    }
}

hid_t h5_text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
                      H5Tset_strpad(type, H5T_STR_NULLPAD) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

char *h5_text_copy(const char *text, size_t *size_p)
{
    char *copy = strdup(text);
    if (copy != NULL) {
        size_t length = strlen(copy);
        utf8_repair(copy, length);
        *size_p = length > 0 ? length : 1;
    }
    return copy;
}

hid_t h5_creation_list(hid_t property_class)
{
    unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    bool holds_links = H5Pequal(property_class, H5P_DATASET_CREATE) <= 0;
    hid_t list = H5Pcreate(property_class);
    if (list >= 0 &&
        (H5Pset_attr_creation_order(list, order) < 0 || H5Pset_obj_track_times(list, false) < 0 ||
         (holds_links && H5Pset_link_creation_order(list, order) < 0))) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

hid_t h5_access_list(void)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    bool good = list >= 0 && H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) >= 0;
#if H5_VERSION_GE(1, 10, 7)
    good = good && H5Pset_file_locking(list, false, true) >= 0;
#endif
    if (list >= 0 && !good) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}
